"""The vllm adapter: what can be tested without vLLM, and the real engine where it is installed; the llm
adapter is the judge."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.adapters.llm import LLM
from bench.adapters.vllm import VLLM
from bench.core import Output, Source
from bench.errors import BenchError
from bench.prompt import Prompt
from bench.translation import batching
from tests.helpers import tiny
from tests.helpers.prompts import CHAT, sources

SHOTS = Prompt("shots", "{source_language}: {source}\n{target_language}:", chat=False, stop="e")
LIMITS: dict[str, Any] = {"tokens_base": 3, "tokens_ratio": {"zh-en": 0.5, "en-zh": 0.5}}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As tiny.qwen, with heads as wide as vLLM's kernels can do."""
    tokenizer = tiny.byte_level_tokenizer()
    return tiny.qwen(
        tmp_path_factory.mktemp("checkpoint"),
        hidden_size=128,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.02,
        eos_token_id=[
            tokenizer.eos_token_id,
            *tokenizer(" of").input_ids,
        ],  # so that some answers end before the limit
    )


@pytest.fixture(scope="module")
def engine(checkpoint: Path) -> Iterator[VLLM]:
    pytest.importorskip("vllm", reason="vLLM is not installed here: pip install 'bitext-bench[vllm]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB, where it runs without a GPU
        adapter = VLLM(str(checkpoint), CHAT, "float32", {"enforce_eager": True}, **LIMITS, direction="zh-en")
        adapter.load()
        yield adapter


def asked(adapter: LLM | VLLM, prompt: Prompt, given: list[Source]) -> dict[str, Output]:
    adapter.prompt = adapter._requests.prompt = prompt
    outputs = list(adapter.translate(given))
    assert len(outputs) == len(given)
    return dict(outputs)


@pytest.mark.slow
def test_a_greedy_answer_is_the_llm_adapters(engine: VLLM, checkpoint: Path) -> None:
    """vLLM promises no such thing; with random weights no two tokens are nearly as likely, and float32 tells
    them apart."""
    for prompt in (CHAT, SHOTS):
        judge = LLM(str(checkpoint), prompt, **LIMITS, direction="zh-en")
        judge.load()
        expected = asked(judge, prompt, sources("zh-en"))
        assert asked(engine, prompt, sources("zh-en")) == expected
        assert {output.truncated for output in expected.values()} == {True, False}
        assert len({output.text for output in expected.values()}) > len(expected) // 2


def test_a_block_is_asked_for_at_once_and_falls_back(engine: VLLM) -> None:
    block = [replace(source, block="all") for source in sources("zh-en", 3)]
    prompt = replace(CHAT, together="paragraph", query_together="{count}:\n{source}")
    engine.prompt = engine._requests.prompt = prompt
    found = list(batching.outputs(engine, block, 1))
    outputs = {source.id: output for source, output, _ in found}
    alone = asked(engine, CHAT, sources("zh-en", 3))
    assert all(fell_back for _, _, fell_back in found)
    assert {id: output.text for id, output in outputs.items()} == {id: o.text for id, o in alone.items()}


def test_a_source_longer_than_the_context_is_cut_off_whole(engine: VLLM) -> None:
    outputs = asked(engine, CHAT, [Source("short", "和平。"), Source("long", "和平" * 2000)])
    assert outputs["long"] == Output("", truncated=True)
    assert outputs["short"].tokens_in


def test_what_nobody_waits_for_is_aborted(engine: VLLM) -> None:
    engine.prompt = engine._requests.prompt = CHAT
    outputs = engine.translate(sources("zh-en"))
    next(outputs)
    assert engine._engine.has_unfinished_requests()
    outputs.close()
    assert not engine._engine.has_unfinished_requests()
    assert len(asked(engine, CHAT, sources("zh-en", 2))) == 2  # and the engine can be used again


def test_what_it_ran_on_is_a_fact(engine: VLLM) -> None:
    facts = engine.facts()
    assert facts["device"] in ("cpu", "cuda", "xpu", "tpu")
    assert facts["device"] == "cpu" or facts["device_name"]
    assert facts["batch_invariant"] in (True, False)


def test_settings_that_cannot_be_used_are_a_sentence(engine: VLLM, checkpoint: Path) -> None:
    with pytest.raises(BenchError, match=r"vLLM cannot run .*no_such_setting"):
        VLLM(str(checkpoint), CHAT, engine={"no_such_setting": 1}, direction="zh-en").load()


def test_what_changes_the_output_changes_the_identity(checkpoint: Path) -> None:
    path = str(checkpoint)
    identities = [
        VLLM(path, CHAT, direction="zh-en").identity(),
        VLLM(path, SHOTS, direction="zh-en").identity(),
        VLLM(path, CHAT, dtype="float32", direction="zh-en").identity(),
        VLLM(path, CHAT, max_new_tokens=9, direction="zh-en").identity(),
        VLLM(path, CHAT, engine={"quantization": "fp8"}, direction="zh-en").identity(),
        VLLM(
            path, CHAT, engine={"max_model_len": 512}, direction="zh-en"
        ).identity(),  # what does not fit is not translated
    ]
    assert len({str(identity) for identity in identities}) == len(identities)
    where = {"gpu_memory_utilization": 0.5, "tensor_parallel_size": 2, "max_num_seqs": 64}
    assert VLLM(path, CHAT, engine=where, direction="zh-en").identity() == identities[0]


def test_it_is_said_where_it_is_missing(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = VLLM(str(checkpoint), CHAT, direction="zh-en")
    assert adapter.batch_cost((Source("a", "和平。"),)) == 0
    assert adapter.facts()["device"], "the board shows it, though a run may end without loading anything"
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(BenchError, match=r"vLLM is not installed: pip install 'bitext-bench\[vllm\]'"):
        adapter.load()


@pytest.mark.parametrize("setting", ["trust_remote_code", "load_format", "model", "seed"])
def test_no_code_of_a_checkpoint_is_run(checkpoint: Path, setting: str) -> None:
    with pytest.raises(BenchError, match=f"engine cannot set {setting}"):
        VLLM(str(checkpoint), CHAT, engine={setting: True}, direction="zh-en")


@pytest.mark.parametrize(
    "engine",
    [
        {"worker_cls": "evil.Worker"},
        {"worker_extension_cls": "evil"},
        {"distributed_executor_backend": "evil.Executor"},
        {"logits_processors": ["evil:Processor"]},
        {"reasoning_parser_plugin": "evil"},
        {"kv_transfer_config": {"kv_connector": "X", "kv_connector_module_path": "evil"}},
        {"compilation_config": {"backend": "evil.backend"}},
        {"hf_overrides": {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}},
        {"speculative_config": {"model": "/tmp/evil"}},
        {"download_dir": "evil"},
    ],
)
def test_no_setting_of_the_engine_names_code(engine: dict[str, Any]) -> None:
    with pytest.raises(BenchError, match="may name code or files"):
        VLLM("org/x@" + 40 * "a", CHAT, engine=engine, direction="zh-en")


def test_ordinary_settings_of_the_engine() -> None:
    engine = {
        "tensor_parallel_size": 2,
        "quantization": "compressed-tensors",
        "distributed_executor_backend": "ray",
        "hf_overrides": {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
        "limit_mm_per_prompt": {"image": 0},
        "compilation_config": 3,
        "cudagraph_capture_sizes": [1, 2, 4],
        "enforce_eager": True,
    }
    assert VLLM("org/x@" + 40 * "a", CHAT, engine=engine, direction="zh-en").engine == engine
