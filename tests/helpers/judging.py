"""Run by tests/scorers/test_judge.py in a process of its own: python -m tests.helpers.judging URL SEGMENTS."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.adapters.factory import AdapterFactory
from bench.adapters.openai import OpenAI
from bench.core import Score
from bench.languages import Direction
from bench.launching.compose import compose
from bench.prompt import Prompt
from bench.references.parallel import parallel_task
from bench.scorers.judge import Judge

ASKED = Prompt("judge", "{source}")


def judge(url: str, kind: str = "esa", **settings: Any) -> Judge:
    """A judge behind an endpoint, with the prompt of its yaml. `settings`: of the judge; those of the endpoint are in
    `model`."""
    model = {"concurrency": 4, "timeout": 0.4, "retries": 1, **settings.pop("model", {})}
    options = {"temperature": 0.7, **model.pop("options", {})}
    node = compose([f"metric=[judge-{kind}]", f"metric.judge-{kind}.model.model=m"]).metric[f"judge-{kind}"]
    query = settings.pop("query", node.query)
    made = {"model": "tiny-judge", "prompt": ASKED, "options": options, "base_url": url, **model}
    return Judge(
        f"judge {kind}",
        kind,  # type: ignore[arg-type]
        query,
        AdapterFactory(OpenAI, made, f"metric.judge-{kind}.model"),
        **settings,
    )


def score(
    made: Judge,
    sources: Sequence[str],
    systems: dict[str, Sequence[str]],
    direction: Direction = "zh-en",
) -> dict[str, Score]:
    task = parallel_task("test", direction, sources, [f"official {text}" for text in sources])
    return made.score(task, systems, Path("not written"))


if __name__ == "__main__":
    texts = [f"第{number}句" for number in range(int(sys.argv[2]))]
    made = judge(sys.argv[1], model={"concurrency": 1, "timeout": 30}, context=0)
    print(score(made, texts, {"a": [f"sentence {number}" for number in range(len(texts))]})["a"].value)
