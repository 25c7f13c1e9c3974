"""Every yaml composes and its class can be created, without a network and without loading a model."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import hydra
import pytest
from omegaconf import DictConfig, OmegaConf

from bench.adapters.llm import LLM
from bench.core import Source, digest
from bench.errors import BenchError
from bench.launching.compose import (
    CONFIGS,
    compose,
    expand,
    hydra_overrides,
    job_configs,
    job_overrides,
    parse_overrides,
    reference,
    scorers,
)
from bench.launching.jobs import job_resources, translation_job
from bench.launching.many_systems import compose_systems
from bench.resources import data_dir
from bench.translation.driver import TranslationJob

NEEDED = {
    "hypotheses": ["system.name=x", f"system.adapter.path={__file__}"],
    **{
        name: ["system.name=x", f"system.adapter.checkpoint={__file__}"]
        for name in ("llm", "seq2seq", "ctranslate2", "ctranslate2-seq2seq", "vllm")
    },
    "openai": ["system.name=x", "system.adapter.model=m"],
    "google-advanced": ["system.name=x", "system.adapter.project=p"],
}
NEEDED_BY_METRICS = {name: [f"metric.{name}.model.model=m"] for name in ("judge-esa", "judge-mqm")}


def job(*overrides: str) -> TranslationJob:
    config = compose(overrides)
    return translation_job(config, reference(config))


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (data_dir("configs") / group).glob("*.yaml"))


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
@pytest.mark.parametrize("system", names("system"))
def test_system(system: str, direction: str) -> None:
    described = job(f"system={system}", f"direction={direction}", *NEEDED.get(system, []))
    assert described.folder.parent.name == direction
    assert described.adapter.direction == direction
    assert len(digest(described.adapter.identity())) == 64  # plain data, so that it can be hashed and written
    assert described.card.name == (system if system not in NEEDED else "x")
    assert "resources" not in described.adapter_config
    # compared with the date of a document as text
    assert re.fullmatch(r"\d{4}(-\d\d){0,2}", described.card.released or "2021")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+system.relased=2024", r"system\.relased is not a setting: use system\.released"),
        ("+system.price={input: 1}", r"system\.price\.output is missing: give it"),
        ("+system.size=[7]", r"system\.size must be a text or null"),
        ("++system.control=perhaps", r"system\.control must be true or false"),
        ("system.name=null", r"system\.name must be a text"),
    ],
)
def test_a_wrong_field_of_a_card_is_named(override: str, message: str) -> None:
    with pytest.raises(BenchError, match=message) as error:
        job("system=copy", "direction=zh-en", override)
    assert "\n" not in str(error.value)


def test_resources_may_refer_to_other_values() -> None:
    """They are for the launcher: an adapter or a scorer never sees them, and ${…} in them is resolved."""
    timeout = "system.resources.timeout_min=${batch_tokens}"
    config = compose(["system=copy", "direction=zh-en", "batch_tokens=64", timeout])
    assert job_resources(config.system)["timeout_min"] == 64
    translation_job(config, reference(config))
    config = compose(["metric=[chrf]", "batch_tokens=64", "metric.chrf.resources.mem_gb=${batch_tokens}"])
    assert job_resources(config.metric.chrf)["mem_gb"] == 64
    assert list(scorers(config)) == ["chrf"]


def test_an_adapter_may_refer_to_other_values() -> None:
    path = "system.adapter.path=${oc.env:HOME}/${direction}"
    config = compose(["system=hypotheses", "system.name=${direction}", "direction=zh-en", path])
    with pytest.raises(BenchError, match="/zh-en"):
        translation_job(config, reference(config))


def test_a_sweep_is_every_combination_of_its_values() -> None:
    sweep, _ = expand(["system=copy,dictionary", "shards=2", "~compare.unit", "hydra/launcher=gpus"])
    assert job_overrides(sweep) == [
        [f"system={system}", "shards=2", "~compare.unit", f"direction={direction}", f"shard={shard}"]
        for system in ("copy", "dictionary")
        for direction in ("zh-en", "en-zh")
        for shard in (0, 1)
    ]


def test_a_sweep_cannot_be_continuous() -> None:
    with pytest.raises(BenchError, match=r"batch_tokens=interval\(1,9\) is a continuous range"):
        job_overrides(["batch_tokens=interval(1,9)"])


@pytest.mark.parametrize("prompt", names("prompt"))
def test_prompt(prompt: str) -> None:
    override = f"prompt@system.adapter.prompt={prompt}"
    adapter = job("system=llm", "direction=zh-en", override, *NEEDED["llm"]).adapter
    assert isinstance(adapter, LLM)
    assert adapter.prompt.name == prompt
    text = str(adapter.prompt.messages([Source("a", "出口管制")], "zh-en"))
    assert "出口管制" in text
    assert re.search("English|英文|英语|'en'", text)


@pytest.mark.parametrize("metric", names("metric"))
def test_metric(metric: str) -> None:
    (scored,) = scorers(compose([f"metric=[{metric}]", *NEEDED_BY_METRICS.get(metric, [])]))
    assert scored == metric


@pytest.mark.parametrize("suite", names("suite"))
def test_suite(suite: str) -> None:
    sweep, config = expand([f"suite={suite}"])
    assert set(config.systems) <= set(names("system"))
    assert config.primary in names("metric")
    assert f"system={','.join(config.systems)}" in sweep


def test_examples_are_not_from_the_benchmark() -> None:
    """An example of a prompt that is in a document would be a leak."""
    files = list(data_dir("references").glob("*/source*.txt"))  # a set has one, or one for each language
    assert {"source.txt", "source.en.txt", "source.zh.txt"} <= {path.name for path in files}
    source = "".join(path.read_text() for path in files)
    adapter = job("system=gemma-3-270m", "direction=zh-en").adapter
    assert isinstance(adapter, LLM)
    assert adapter.prompt.examples
    for example in adapter.prompt.examples:
        assert example["zh"] not in source
        assert example["en"] not in source


def test_help_loads_nothing_heavy() -> None:
    """So `bench --help` answers at once, and a run with nothing to do loads no model library."""
    heavy = "{'torch', 'transformers', 'comet', 'sacrebleu', 'numpy', 'hydra', 'rich', 'pandas'}"
    code = f"import sys, bench.cli; sys.exit(str(heavy) if (heavy := {heavy} & set(sys.modules)) else 0)"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys, bench.commands.run; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_comet_can_be_imported() -> None:
    """It fails with setuptools 81 and newer; constraints.txt keeps it working."""
    subprocess.run([sys.executable, "-c", "import comet"], check=True, capture_output=True)


def test_jobs_that_share_composing_have_the_configs_that_they_would_have_alone() -> None:
    sweep = ["system=copy,opus-mt", "direction='zh-en',en-zh", "batch_tokens=5"]
    jobs = job_overrides(sweep)
    assert len(jobs) == 4
    configs = list(job_configs(sweep))
    assert configs == [compose(job) for job in jobs]
    assert [config.direction for config in configs] == ["zh-en", "en-zh"] * 2
    assert len({id(config.system) for config in configs}) == 4, "no job sees what another changes"


@pytest.mark.parametrize(
    "overrides",
    [
        ["system=qwen3-8b,llm,qwen3-4b-instruct-2507", "prompt@system.adapter.prompt=tower"],
        ["system=qwen3-8b", "system.name=a,b,c", "++system.resources.mem_gb=3", "~system.adapter.dtype", "batch_tokens=5,6"],
        ["system=copy,opus-mt,llm", "system.price={input: 1, output: 2}", "system.adapter.prompt=x"],
        ["system=copy,dictionary,opus-mt", "system.adapter.dtype=x"],
        ["system=qwen3-8b,qwen3-4b-instruct-2507,copy", "+system.released=2020"],
        ["system=copy,opus-mt,elsewhere", "hydra.searchpath=['file://FOLDER']"],
    ],
)  # fmt: skip
def test_systems_that_are_composed_together_have_the_configs_that_they_would_have_alone(
    overrides: list[str], tmp_path: Path
) -> None:
    (tmp_path / "system").mkdir()
    (tmp_path / "system" / "elsewhere.yaml").write_text(
        "# @package _global_\nbatch_tokens: 7\nsystem: {name: e, adapter: {_target_: bench.adapters.copy.Copy}}\n"
    )
    sweep = [text.replace("FOLDER", str(tmp_path)) for text in overrides]
    for_hydra = hydra_overrides(sweep)
    together: list[object] = []
    alone: list[object] = []
    for configs, compose_all in (
        (together, lambda: job_configs(sweep)),
        (alone, lambda: [compose([*for_hydra, *job]) for job in job_overrides(sweep)]),
    ):
        try:
            configs += map(OmegaConf.to_container, compose_all())
        except BenchError as error:
            configs.append(str(error))
    assert together == alone


def test_systems_are_composed_together() -> None:
    composed: list[list[str]] = []

    def counted(overrides: Sequence[str]) -> DictConfig:
        composed.append(list(overrides))
        with hydra.initialize_config_dir(CONFIGS, version_base="1.3"):
            return hydra.compose("config", list(overrides))

    jobs = [parse_overrides([f"system={name}"]) for name in ("copy", "opus-mt", "qwen3-8b")]
    configs = compose_systems(jobs, counted)
    assert [config.config().system.name for config in configs] == ["copy", "opus-mt", "qwen3-8b"]
    assert len(composed) == 2, "one config without a system, and one with three"
