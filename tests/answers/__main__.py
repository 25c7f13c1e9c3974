"""Prints the figures of docs/answers.md: `python -m tests.answers [--human SET …]`."""

from __future__ import annotations

import sys

from tests.answers.figures import main

if __name__ == "__main__":
    main(sys.argv[1:])
