"""Prints the figures of docs/metrics.md on facts: `python -m tests.facts`."""

from __future__ import annotations

from tests.facts.figures import main

if __name__ == "__main__":
    main()
