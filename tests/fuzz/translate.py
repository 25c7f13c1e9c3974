"""What `bench run` and `bench meta-evaluate` read, without Hydra: composing takes longer than all the rest."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench import references
from bench.adapters.hypotheses import Hypotheses
from bench.adapters.llm import LLM
from bench.adapters.openai import OpenAI
from bench.core import Adapter, Task
from bench.errors import BenchError
from bench.escaping import terminal
from bench.prompt import Prompt
from bench.records import system_card
from bench.scoring import judgements
from bench.store import Store
from bench.translation.driver import TranslationJob, identity, translate

PROMPT = Prompt("plain", "Translate from {source_language} into {target_language}:\n\n{source}")


@click.command()
@click.argument("kind", type=click.Choice(["openai", "hypotheses", "llm", "judgements"]))
@click.argument("value")
def main(kind: str, value: str) -> None:
    """Translate the tiny set by an adapter, or read judgements. `value`: an address, a file, or a folder."""
    try:
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
