"""Every yaml composes and every class it names can be built, without a network and without loading a model."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.adapters.llm import LLM
from bench.core import Source, digest
from bench.launching.compose import compose, expand, scorers
from bench.launching.jobs import Job
from bench.resources import data_dir

NEEDED = {
    "hypotheses": ["system.name=x", f"system.adapter.path={__file__}"],
    **{
        name: ["system.name=x", f"system.adapter.checkpoint={__file__}"]
        for name in ("llm", "seq2seq", "ctranslate2", "ctranslate2-seq2seq", "vllm")
    },
    "openai": ["system.name=x", "system.adapter.model=m"],
}


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (data_dir("configs") / group).glob("*.yaml"))


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
@pytest.mark.parametrize("system", names("system"))
def test_system(system: str, direction: str) -> None:
    job = Job.of(compose([f"system={system}", f"direction={direction}", *NEEDED.get(system, [])]))
    assert job.folder.parts[-2:-1] == (direction,)
    assert len(digest(job.adapter.identity())) == 64  # plain data, so that it can be hashed and written
    assert job.card["name"] == (system if system not in NEEDED else "x")
    # compared with the date of a text as text
    assert re.fullmatch(r"(\d{4}(-\d\d){0,2})?", job.card.get("released", ""))


@pytest.mark.parametrize("prompt", names("prompt"))
def test_prompt(prompt: str) -> None:
    words = ["system=llm", "direction=zh-en", f"prompt@system.adapter.prompt={prompt}", *NEEDED["llm"]]
    adapter = Job.of(compose(words)).adapter
    assert isinstance(adapter, LLM)
    assert adapter.prompt.name == prompt
    text = adapter.prompt.completion([Source("a", "出口管制")], "zh-en")
    assert "出口管制" in text
    assert re.search("English|英文", text)


@pytest.mark.parametrize("metric", names("metric"))
def test_metric(metric: str) -> None:
    (scored,) = scorers(compose([f"metric=[{metric}]"]))
    assert scored == metric


@pytest.mark.parametrize("suite", names("suite"))
def test_suite(suite: str) -> None:
    sweep, config = expand([f"suite={suite}"])
    assert set(config.systems) <= set(names("system"))
    assert config.primary in names("metric")
    assert f"system={','.join(config.systems)}" in sweep


def test_examples_are_not_from_the_benchmark() -> None:
    """A worked example that stands in a document would be a leak."""
    source = "".join(
        (Path(p) / "source.txt").read_text() for p in data_dir("references").iterdir() if p.is_dir()
    )
    job = Job.of(compose(["system=gemma-3-270m", "direction=zh-en"]))
    assert isinstance(job.adapter, LLM)
    assert job.adapter.prompt.examples
    for example in job.adapter.prompt.examples:
        assert example["zh"] not in source
        assert example["en"] not in source


def test_help_loads_nothing_heavy() -> None:
    """`bench --help` answers at once because of this; the same for a run that is done already, but for Hydra."""
    heavy = "{'torch', 'transformers', 'comet', 'sacrebleu', 'numpy', 'hydra', 'rich', 'pandas'}"
    code = f"import sys, bench.cli; sys.exit(str(heavy) if (heavy := {heavy} & set(sys.modules)) else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, bench.commands.run; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_comet_can_be_imported() -> None:
    """It fails with setuptools 81 and newer; constraints.txt keeps it working."""
    subprocess.run([sys.executable, "-c", "import comet"], check=True, capture_output=True)
