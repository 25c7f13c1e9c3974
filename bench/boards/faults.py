"""What the remarks of the metrics facts and obligations say: which facts and statements a system has lost."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from bench.core import Score

METRICS = ("obligations", "facts")
"""Metrics whose remarks are faults; the gravest first."""
_FAULT = re.compile(
    r"(?P<fault>wrong|missing|invented) (?P<kind>[a-z]{1,20}): (?P<text>.+)"
    r"|(?P<change>reversed|lost|weakened|strengthened) (?P<modality>prohibition|obligation|exemption|permission): "
    r"(?P<statement>.+)",
    re.S,
)
_MORE = re.compile(r"(\d{1,9}) more faults")
_ORDER = ("reversed", "lost", "weakened", "strengthened", "wrong", "missing", "invented")
_KINDS = ("prohibition", "obligation", "exemption", "permission")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fact or statement that a hypothesis has lost, changed or invented."""

    place: int
    """The index of its segment."""
    metric: str
    fault: str
    """"wrong", "missing" or "invented" of a fact; "reversed", "lost", "weakened" or "strengthened" of a statement."""
    kind: str
    """"number", "date", "name" …; "prohibition", "obligation" …"""
    text: str
    """What the official translation says, and what the hypothesis says instead."""

    @property
    def is_grave(self) -> bool:
        """A prohibition that is lost or reversed."""
        return self.kind == "prohibition" and self.fault in ("reversed", "lost")

    @property
    def remark(self) -> str:
        return f"{self.fault} {self.kind}: {self.text}"


def of(score: Score | None, metric: str) -> list[Fault]:
    """The faults that the remarks of a score name, the gravest first."""
    if score is None or metric not in METRICS:
        return []
    faults = (
        Fault(place, metric, *(group for group in match.groups() if group is not None))
        for place, remark in score.remarks
        if (match := _FAULT.fullmatch(remark)) and bool(match["change"]) == (metric == "obligations")
    )
    return sorted(faults, key=_gravity)


def _gravity(fault: Fault) -> tuple[bool, int, int, int]:
    kind = _KINDS.index(fault.kind) if fault.kind in _KINDS else len(_KINDS)
    return not fault.is_grave, kind, _ORDER.index(fault.fault), fault.place


def grave(score: Score) -> int:
    """The number of prohibitions that are lost or reversed."""
    return sum(fault.is_grave for fault in of(score, "obligations"))


def counts(score: Score | None, metric: str) -> dict[str, int]:
    """Sort of fault -> number, the gravest first: "reversed prohibition", "missing". Facts are counted by fault alone;
    those beyond the limit of a segment's remarks are "more"."""
    counted = Counter(
        f"{fault.fault} {fault.kind}" if metric == "obligations" else fault.fault
        for fault in of(score, metric)
    )
    if score and (
        more := sum(int(match[1]) for _, remark in score.remarks if (match := _MORE.fullmatch(remark)))
    ):
        counted["more"] = more
    return dict(counted)
