"""Both ctranslate2 adapters through their real code path: transformers on the same tiny checkpoints is the
judge."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import progress
from bench.adapters.llm import LLM
from bench.core import Output, Source
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.prompt import Prompt
from tests.helpers import tiny
from tests.helpers.prompts import CHAT, SHOTS, sources
from tests.helpers.seq2seq import FAMILIES, PREFIX, UNSEEN, adapter, checkpoints, texts, translated

pytest.importorskip("ctranslate2", reason="needs CTranslate2: pip install 'bitext-bench[ctranslate2]'")
from bench.adapters.ctranslate2 import CTranslate2LLM, CTranslate2Seq2Seq

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def converted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every checkpoint is converted once for this module."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BITEXT_BENCH_CACHE", str(cache))
        yield cache / "converted"


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny.qwen(tmp_path_factory.mktemp("models") / "qwen"))


def engine(name: str, direction: Direction, **settings: Any) -> CTranslate2Seq2Seq:
    return CTranslate2Seq2Seq(
        checkpoints(name), direction=direction, **{"prefix": PREFIX.get(name), "dtype": "float32", **settings}
    )


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", FAMILIES)
def test_what_was_learned_is_said(name: str, direction: Direction) -> None:
    given, wanted = texts(direction)
    found = translated(engine(name, direction, beams=1), given)
    assert [found[source.id].text for source in given] == wanted
    assert found == translated(adapter(name, direction, beams=1), given)


@pytest.mark.parametrize("name", FAMILIES)
def test_beams(name: str) -> None:
    """Most of it: the engine ends a search when so many beams have ended, and what these models say after a
    slip, which they have never seen, ends early."""
    given, wanted = texts("zh-en")
    found = translated(engine(name, "zh-en"), given)
    right = [found[source.id].text == text for source, text in zip(given, wanted, strict=True)]
    assert sum(right) > len(given) / 2


@pytest.mark.parametrize("name", FAMILIES)
def test_greedy_float32_is_the_same_as_transformers(name: str) -> None:
    """Also of what the model is unsure of, and where limits cut it off."""
    given = texts("zh-en")[0] + [Source(text, text) for text in UNSEEN]
    limits: dict[str, Any] = {
        "tokens_base": 0,
        "tokens_ratio": {"zh-en": 1.5},
        "max_new_tokens": 20,
        "beams": 1,
    }
    found = translated(engine(name, "zh-en", **limits), given)
    assert found == translated(adapter(name, "zh-en", **limits), given)
    assert any(output.truncated for output in found.values())


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_no_float32_output_depends_on_batch_order_or_the_limits_of_neighbours(name: str, beams: int) -> None:
    given = texts("zh-en")[0] + [Source(text, text) for text in UNSEEN]
    limits: dict[str, Any] = {
        "tokens_base": 0,
        "tokens_ratio": {"zh-en": 9},
        "max_new_tokens": 100,
        "beams": beams,
    }
    together = translated(engine(name, "zh-en", **limits), given)
    assert together == translated(engine(name, "zh-en", **limits), given, batch=1)
    assert together == translated(engine(name, "zh-en", **limits), given[::-1], batch=5)


@pytest.mark.parametrize("name", FAMILIES)
def test_int8(name: str) -> None:
    given, wanted = texts("zh-en")
    system = engine(name, "zh-en", dtype="int8", beams=1)
    found = translated(system, given)
    right = sum(found[source.id].text == text for source, text in zip(given, wanted, strict=True))
    assert right > len(given) / 2  # tiny models have little to spare
    facts = system.facts()
    assert facts["compute_type"].startswith("int8")
    assert not facts["batch_invariant"]
    assert facts["device"] == "cuda" or facts["threads"] >= 1


def test_a_checkpoint_is_converted_once(converted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(progress, "say", lambda text, **_: said.append(text))
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(converted.parent / "once"))
    for _ in range(2):
        engine("nllb", "zh-en", dtype="int8").load()
    assert [text.startswith("Converting nllb to CTranslate2 int8 once") for text in said] == [True]
    engine("nllb", "zh-en").load()
    assert len(said) == 2, "another type is another conversion"


def test_a_source_longer_than_the_encoder_is_not_cut() -> None:
    given, wanted = texts("zh-en")
    found = translated(engine("nllb", "zh-en", beams=1), [*given, Source("long", "国际合作" * 100)])
    assert found["long"] == Output("", truncated=True)
    assert [found[source.id].text for source in given] == wanted


@pytest.mark.parametrize("prompt", [CHAT, SHOTS, replace(SHOTS, stop="o")], ids=["chat", "few-shot", "stop"])
def test_language_models_say_the_same_as_in_transformers(qwen: str, prompt: Prompt) -> None:
    limits: dict[str, Any] = {"max_new_tokens": 24, "tokens_base": 3, "tokens_ratio": {"zh-en": 0.3}}
    judge = LLM(qwen, prompt, **limits, direction="zh-en")
    system = CTranslate2LLM(qwen, prompt, "float32", **limits, direction="zh-en")
    judge.load()
    system.load()
    given = [*sources("zh-en"), Source("long", "和平" * 2000)]
    found = dict(system.translate(given))
    assert found == dict(judge.translate(given))
    assert found["long"].truncated
    assert len({output.tokens_out for output in found.values()}) > 2
    alone = [pair for source in given[::-1] for pair in system.translate([source])]
    assert found == dict(alone)
    assert system.batch_cost((given[0],)) == judge.batch_cost((given[0],))
    assert system.facts()["batch_invariant"]


def test_language_models_with_beams_do_not_depend_on_the_batch(qwen: str) -> None:
    system = CTranslate2LLM(
        qwen, CHAT, "float32", beams=3, tokens_base=0, tokens_ratio={"zh-en": 3}, direction="zh-en"
    )
    system.load()
    given = sources("zh-en", 6)
    found = dict(system.translate(given))
    assert found == dict(pair for source in given[::-1] for pair in system.translate([source]))


def test_what_does_not_run_is_a_sentence(qwen: str, tmp_path: Path) -> None:
    pickled = shutil.copytree(qwen, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(BenchError, match=r"cannot convert .*no file named model\.safetensors"):
        CTranslate2LLM(str(pickled), CHAT, direction="zh-en").load()
    unknown = shutil.copytree(qwen, tmp_path / "unknown")
    config = json.loads((unknown / "config.json").read_text())
    (unknown / "config.json").write_text(json.dumps(config | {"model_type": "olmo"}))
    with pytest.raises(BenchError, match=r"cannot convert the checkpoint in .*OlmoConfig"):
        CTranslate2LLM(str(unknown), CHAT, direction="zh-en").load()
    with pytest.raises(BenchError, match=r"dtype=int3 does not run on this cpu: use .*float32"):
        CTranslate2LLM(qwen, CHAT, "int3", direction="zh-en").load()


def test_what_changes_the_output_changes_the_identity(qwen: str) -> None:
    identities = [
        engine("nllb", "zh-en").identity(),
        engine("nllb", "zh-en", dtype="int8").identity(),
        engine("nllb", "zh-en", beams=2).identity(),
        adapter("nllb", "zh-en").identity(),
        CTranslate2LLM(qwen, CHAT, direction="zh-en").identity(),
        CTranslate2LLM(qwen, SHOTS, direction="zh-en").identity(),
        CTranslate2LLM(qwen, CHAT, "float32", direction="zh-en").identity(),
        CTranslate2LLM(qwen, CHAT, beams=2, direction="zh-en").identity(),
        CTranslate2LLM(qwen, CHAT, max_new_tokens=9, direction="zh-en").identity(),
    ]
    assert len({str(identity) for identity in identities}) == len(identities)
