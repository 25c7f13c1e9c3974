"""What in a run does not follow from the rest of it. Nothing that follows from something else is believed.

Recomputed: texts and flags from the answers; identity and folder from the settings; counts of flags and of
segments that fell back from the hypotheses; rates and cost from times, tokens and prices. Declared by the
publisher, because nothing here can tell: the answers themselves, and DECLARED.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isclose

from bench.core import Hypothesis, Task, digest
from bench.errors import BenchError
from bench.store import Run
from bench.translation.evaluation import evaluated

DECLARED = "size, licence, dates, times, tokens, memory and devices"
_ROUNDING = 0.005 + 1e-9  # rates and seconds are rounded to two decimals
_COST_ROUNDING = 1e-6


def run_fault(run: Run, task: Task) -> str:
    """Why a run cannot be published; "" if it can."""
    if not run.is_current(task):
        return f"was made from another version of {task.reference.id}"
    try:
        hypotheses = run.hypotheses()
    except BenchError:
        return "its hypotheses are not those that run.json was written for"
    if tuple(hypothesis.id for hypothesis in hypotheses) != task.ids:
        return "does not hold one hypothesis for each segment, in order"
    return next(_record_faults(run, hypotheses), "")


def answers_fault(run: Run, task: Task) -> str:
    """Whether texts and flags do not follow from the answers of a run that `run_fault` has found sound; "" if they
    do, or an older version has evaluated them."""
    hypotheses = run.hypotheses_of(task)
    if not run.is_evaluated:
        return ""
    for found, expected in zip(hypotheses, evaluated(task, run.record.adapter, hypotheses), strict=True):
        if found != expected:
            return f"the text or the flags of {found.id} do not follow from its answer"
    return ""


def _record_faults(run: Run, hypotheses: Sequence[Hypothesis]) -> Iterator[str]:
    record, work = run.record, run.record.work
    if run.label != f"{run.system}-{record.identity[:8]}":
        yield "its folder is not named by its system and identity"
    if record.identity != digest({"system": record.adapter, "direction": record.direction}):
        yield "its identity is not the hash of the settings in run.json"
    flags = Counter(flag for hypothesis in hypotheses for flag in hypothesis.flags)
    if record.flags != flags:
        yield "the flags that run.json counts are not those of its hypotheses"
    fell_back = sum(hypothesis.fell_back for hypothesis in hypotheses)
    if record.fell_back != fell_back:
        yield f"run.json says that {record.fell_back:,} segments fell back, and {fell_back:,} did"
    for name, count in (("segments", work.segments), ("tokens", work.tokens_out)):
        rate = work.segments_per_second if name == "segments" else work.tokens_per_second
        if rate is not None and not _is_rate(rate, count, work.seconds):
            yield f"its {name} per second are not {count:,} in {work.seconds} seconds"
    if price := record.system.price:
        cost = price.cost(work.tokens_in, work.tokens_out, work.characters)
        if not isclose(work.cost_usd or 0, cost, rel_tol=1e-6, abs_tol=_COST_ROUNDING):
            yield "its cost does not follow from what was used and its price"


def _is_rate(rate: float, count: int, seconds: float) -> bool:
    """Whether a rounded rate is possible for a count in rounded seconds."""
    slowest = count / (seconds + _ROUNDING) - _ROUNDING
    fastest = count / (seconds - _ROUNDING) + _ROUNDING if seconds > _ROUNDING else float("inf")
    return slowest <= rate <= fastest
