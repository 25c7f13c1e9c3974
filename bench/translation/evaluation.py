"""Answers -> hypotheses with text and flags, without the model.

What a model answered is stored once. The text that is scored and the flags follow from it, so a run that was
evaluated by an older version of bench.answers is evaluated again from its stored answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench import answers
from bench.answers.cleaning import Cleaned, clean_answer
from bench.answers.language import variety
from bench.core import Hypothesis, Output, Task
from bench.store.run import Run, write_run
from bench.translation.flags import constant, flags


def evaluated(task: Task, adapter: Mapping[str, Any], hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """The hypotheses with their text cleaned and all flags set. They are in the order of the set.

    `adapter`: the identity of the adapter that made them. Only answers of language models are cleaned.
    """
    chinese = variety(segment.zh for segment in task.reference.segments)
    result = []
    for hypothesis, source, reference in zip(hypotheses, task.sources, task.references, strict=True):
        answer = hypothesis.raw or hypothesis.text
        cleaned = Cleaned(answer)
        if is_cleaned(adapter) and not hypothesis.error:
            cleaned = clean_answer(answer, source, task.target_language, _stop(adapter))
        output = Output(
            cleaned.text,
            finish=_finish(hypothesis),
            prompt_cut="prompt-cut" in hypothesis.flags,
            unclear=cleaned.unclear,
            error=hypothesis.error,
        )
        found = flags(output, source, task.direction, variety=chinese, reference=reference)
        result.append(
            replace(
                hypothesis,
                text=cleaned.text,
                raw=answer if answer != cleaned.text else "",
                removed=cleaned.removed,
                flags=found,
                finish=output.finish,
            )
        )
    same = constant([hypothesis.text for hypothesis in result], task.sources)
    for index in same:
        if "error" not in result[index].flags:
            result[index] = replace(result[index], flags=(*result[index].flags, "constant"))
    return result


def is_cleaned(adapter: Mapping[str, Any]) -> bool:
    """Whether the answers of an adapter are cleaned: it then has the key in its identity."""
    return "cleaning" in adapter


def record(hypotheses: Sequence[Hypothesis]) -> dict[str, Any]:
    """What run.json says about answers and flags: bench.records.RunRecord.answers and .flags."""
    removed = Counter(kind for hypothesis in hypotheses for kind in hypothesis.removed)
    raised = Counter(flag for hypothesis in hypotheses for flag in hypothesis.flags)
    return {
        "answers": {"version": answers.VERSION, "removed": dict(sorted(removed.items()))},
        "flags": dict(sorted(raised.items())),
    }


def renew(run: Run, task: Task) -> bool:
    """Evaluate a complete run again, if it was by an older version. Returns whether its files have changed.

    The caller is the only writer of the folder. Raises BenchError if it does not hold the task's segments.
    """
    if run.is_evaluated:
        return False
    hypotheses = evaluated(task, run.record.adapter, run.hypotheses_of(task))
    write_run(run.folder, hypotheses, {**run.document, **record(hypotheses)})
    return True


def _finish(hypothesis: Hypothesis) -> str:
    """Runs of older versions hold the flag only."""
    if hypothesis.finish:
        return hypothesis.finish
    if "truncated" in hypothesis.flags:
        return "length"
    return "content_filter" if "refused" in hypothesis.flags and not hypothesis.text else ""


def _stop(adapter: Mapping[str, Any]) -> str:
    prompt = adapter.get("prompt")
    stop = prompt.get("stop") if isinstance(prompt, Mapping) else ""
    return stop if isinstance(stop, str) else ""
