"""Prints the figures of docs/metrics.md on facts and obligations: `python -m tests.facts`, or with direction and
three files of lines, sources, references and other translations of them, the scores of these."""

from __future__ import annotations

import sys

from tests.facts.figures import main

if __name__ == "__main__":
    main(sys.argv[1:])
