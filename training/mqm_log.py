"""Usage: python -m training.mqm_log LOG SOURCES REFERENCES PAIR OUT

Judgements for `bench meta-evaluate` from a log of MQM errors, as github.com/google/wmt-mqm-human-evaluation publishes
it, and the files of lines of the WMT release. A judgement is minus the points of its errors, the mean over annotators.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import defaultdict
from pathlib import Path

from bench.scoring import judgements
from bench.scoring.judgements import Judgement

_MARK = re.compile(r"</?v>")
"""Around the marked error, in the source or in the translation."""


def points(category: str, severity: str) -> float:
    """Of one error (Freitag et al. 2021, "Experts, Errors, and Context"). Errors of the source and the annotators'
    tests have none."""
    if category.startswith("Source") or severity not in ("Major", "Minor"):
        return 0.0
    if category.startswith("Non-translation"):
        return 25.0
    if severity == "Major":
        return 5.0
    return 0.1 if category == "Fluency/Punctuation" else 1.0


def read_log(log: Path, sources: Path, references: Path, pair: str) -> list[Judgement]:
    """One judgement for each system and segment. Raises KeyError for a source that is not a line of `sources`."""
    lines = zip(_lines(sources), _lines(references), strict=True)
    reference_of = {_joined(source): reference for source, reference in reversed(list(lines))}
    penalties: dict[tuple[str, str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    texts: dict[tuple[str, str, str], tuple[str, str]] = {}
    csv.field_size_limit(sys.maxsize)
    with log.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            key = row["system"], row["doc"], row["docSegId"]
            penalties[key][row["rater"]] += points(row["category"], row["severity"])
            texts[key] = _MARK.sub("", row["source"]).strip(), _MARK.sub("", row["target"]).strip()
    return [
        Judgement(
            pair,
            system,
            segment,
            document,
            *texts[system, document, segment],
            reference_of[_joined(texts[system, document, segment][0])],
            -sum(raters.values()) / len(raters),
        )
        for (system, document, segment), raters in penalties.items()
    ]


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").removesuffix("\n").split("\n")


def _joined(text: str) -> str:
    """Without spaces, which the log and the release write differently."""
    return "".join(text.split())


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    log, sources, references, pair, out = sys.argv[1:]
    judgements.write(Path(out), read_log(Path(log), Path(sources), Path(references), pair))
