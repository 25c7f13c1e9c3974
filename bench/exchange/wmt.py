"""Hypotheses in the JSON Lines of WMT's general tasks since 2025: one document per line, here one segment.

`bench score` reads such files; so do WMT's own tools.
"""

from __future__ import annotations

import json

from bench.core import Task
from bench.store import Run


def lines(task: Task, run: Run) -> str:
    """`doc_id` is the segment's id; `refs` has the official translation as refA."""
    rows = zip(task.ids, task.sources, task.references, run.hypotheses_of(task), strict=True)
    return "".join(
        json.dumps(
            {
                "dataset_id": task.reference.id,
                "collection_id": "general",
                "doc_id": id,
                "src_lang": task.source_language,
                "tgt_lang": task.target_language,
                "src_text": source,
                "refs": {"refA": {"ref": reference}},
                "hypothesis": hypothesis.text,
            },
            ensure_ascii=False,
        )
        + "\n"
        for id, source, reference, hypothesis in rows
    )
