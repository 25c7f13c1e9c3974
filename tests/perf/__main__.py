"""`python -m tests.perf [NAME …]`, which `make perf` calls."""

from __future__ import annotations

import sys

from bench import progress
from tests.perf import comet, compare, site, store, translate

PARTS = {
    "translate": translate.main,
    "comet": comet.main,
    "compare": compare.main,
    "site": site.main,
    "store": store.main,
}

unknown = set(sys.argv[1:]) - set(PARTS)
if unknown:
    sys.exit(f"Unknown: {', '.join(sorted(unknown))}. Use some of {', '.join(PARTS)}.")
progress.configure(quiet=True)
for name in sys.argv[1:] or PARTS:
    PARTS[name]()
