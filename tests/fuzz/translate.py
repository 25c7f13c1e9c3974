"""What `bench run`, `meta-evaluate` and `human import` read, without Hydra: composing takes longer than the rest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click

from bench import references
from bench.adapters.hypotheses import Hypotheses
from bench.adapters.llm import LLM
from bench.adapters.openai import OpenAI
from bench.core import Adapter, Task
from bench.errors import BenchError
from bench.escaping import terminal
from bench.human import annotations
from bench.human import campaign as campaigns
from bench.human.scores import agreement, describe
from bench.prompt import Prompt
from bench.records import system_card
from bench.scorers import judge_answers
from bench.scorers.judge_answers import Kind
from bench.scoring import judgements
from bench.store import Store
from bench.translation.driver import TranslationJob, identity, translate

PROMPT = Prompt("plain", "Translate from {source_language} into {target_language}:\n\n{source}")


@click.command()
@click.argument(
    "kind", type=click.Choice(["openai", "hypotheses", "llm", "judgements", "annotations", "judge"])
)
@click.argument("value")
def main(kind: str, value: str) -> None:
    """Translate the tiny set by an adapter, or read judgements. `value`: an address, a file, or a folder."""
    try:
        if kind == "annotations":
            _read_annotations(Path(value))
            return
        if kind == "judge":
            _read_answer(Path(value))
            return
        if kind == "judgements":
            judgements.read(Path(value))
            return
        adapter: Adapter
        if kind == "openai":
            options = {"max_tokens": 64}
            adapter = OpenAI(
                "tiny", PROMPT, options, value, concurrency=2, timeout=1, retries=0, direction="zh-en"
            )
        elif kind == "hypotheses":
            adapter = Hypotheses(value, "set", direction="zh-en")
        else:
            adapter = LLM(value, PROMPT, max_new_tokens=4, direction="zh-en")
        task = Task(references.load("set"), "zh-en")
        folder = Store(Path("store")).run_folder(task, "mine", identity(adapter))
        translate(TranslationJob(task, adapter, system_card({"name": "mine"}), folder, 500))
    except BenchError as error:
        click.echo(f"Error: {terminal(str(error))}", err=True)
        sys.exit(2)


def _read_annotations(log: Path) -> None:
    campaign = campaigns.read(Path("campaign.json"))
    found = annotations.read(log, campaign)
    for annotator, (passed, seen) in annotations.checks(found).items():
        click.echo(terminal(f"{annotator}: {passed} of {seen}"))
    click.echo(describe(agreement(found, campaign.info.protocol)))


def _read_answer(path: Path) -> None:
    """Check what the judge's answer may never do."""
    source, hypothesis, answer = (
        name.read_bytes().decode("utf-8", "replace")
        for name in (Path("source.txt"), Path("hypothesis.txt"), path)
    )
    for kind in get_args(Kind):
        try:
            verdict = judge_answers.read(answer, kind, source, hypothesis)
        except judge_answers.Unusable as reason:
            click.echo(terminal(str(reason)))
            continue
        worst, best = sorted((judge_answers.WORST[kind], judge_answers.BEST[kind]))
        assert worst <= verdict.score <= best, verdict.score
        assert all(0 <= span.start < span.end <= len(hypothesis) for span in verdict.spans)
        for text in verdict.remarks:
            click.echo(terminal(text))
