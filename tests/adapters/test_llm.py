"""The llm adapter through its real code path, on tiny real checkpoints; transformers' own generate is the
judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.adapters._requests import Limits, RequestTokenizer, TokenizedRequest
from bench.adapters.llm import LLM
from bench.core import Output, Source
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt
from tests.helpers import tiny
from tests.helpers.prompts import CHAT, SHOTS, sources


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        "qwen": tiny.qwen(root / "qwen"),
        "gemma": tiny.gemma(root / "gemma"),
        "narrow": tiny.gemma(root / "narrow", window=48),
        "sees": tiny.gemma(root / "sees", window=48, multimodal=True),
    }


def loaded(checkpoint: Path, prompt: Prompt, direction: Direction = "zh-en", **settings: Any) -> LLM:
    adapter = LLM(str(checkpoint), prompt, direction=direction, **settings)
    adapter.load()
    return adapter


def generate(adapter: LLM, source: Source) -> list[int]:
    """One prompt alone through model.generate."""
    import torch

    ids = torch.tensor([adapter._requests.ids((source,))])
    limit = adapter._requests.limit((source,))
    out = adapter._model.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=limit
    )
    return out[0, ids.shape[1] :].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("model", ["qwen", "gemma", "narrow", "sees"])
@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_the_same_as_generate(checkpoints: dict[str, Path], model: str, direction: Direction) -> None:
    ratio = {"zh-en": 0.3, "en-zh": 0.3}  # rows end at different times, by their limits
    adapter = loaded(checkpoints[model], CHAT, direction, tokens_base=3, tokens_ratio=ratio)
    given = sources(direction)
    tokens: dict[str, list[int]] = {}
    for batch, prefill in adapter._partition([adapter._requests.tokenize((source,)) for source in given]):
        for number, output in adapter._decode(batch, prefill):
            tokens[batch[number].unit[0].id] = output
    ends = adapter._tokenizer.eos_token_id
    expected = [generate(adapter, source) for source in given]
    rows = [tokens[source.id] for source in given]
    assert rows == [row[: row.index(ends)] if ends in row else row for row in expected]
    assert len({tuple(row) for row in rows}) > len(rows) // 2, "the outputs must differ between prompts"
    assert len({len(row) for row in rows}) > 1


@pytest.mark.slow
@pytest.mark.parametrize("model", ["qwen", "gemma", "narrow", "sees"])
@pytest.mark.parametrize("prompt", [CHAT, SHOTS], ids=["chat", "few-shot"])
def test_no_output_depends_on_batch_or_order(
    checkpoints: dict[str, Path], model: str, prompt: Prompt
) -> None:
    given = sources("zh-en")

    def texts(batches: Sequence[Sequence[Source]]) -> dict[str, Output]:
        adapter = loaded(checkpoints[model], prompt, max_new_tokens=24)
        return {id: output for batch in batches for id, output in adapter.translate(batch)}

    together = texts([given])
    assert together == texts([[source] for source in given])
    assert together == texts([given[::-1][i : i + 5] for i in range(0, len(given), 5)])


@pytest.mark.slow
def test_the_limit_is_reported(checkpoints: dict[str, Path]) -> None:
    adapter = loaded(checkpoints["qwen"], CHAT, max_new_tokens=3, tokens_base=3)
    outputs = [output for _, output in adapter.translate(sources("zh-en"))]
    assert all(output.truncated == (output.tokens_out == 3) for output in outputs)
    assert any(output.truncated for output in outputs)


@pytest.mark.slow
def test_few_shot_stops_at_the_line_end(checkpoints: dict[str, Path]) -> None:
    adapter = loaded(checkpoints["gemma"], SHOTS)
    newline = adapter._tokenizer("\n", add_special_tokens=False).input_ids
    assert len(newline) == 1
    row = TokenizedRequest((), [], limit=9, stop=SHOTS.stop)
    assert adapter._append([], newline[0], row) is False
    assert adapter._append([], adapter._tokenizer("a").input_ids[0], row) is True


@pytest.mark.slow
def test_a_source_longer_than_the_context_is_cut_off_whole(checkpoints: dict[str, Path]) -> None:
    adapter = loaded(checkpoints["qwen"], CHAT)
    outputs = dict(adapter.translate([Source("short", "和平。"), Source("long", "和平" * 2000)]))
    assert outputs["long"].truncated
    assert not outputs["long"].text
    assert not outputs["long"].error, "the next run would try it again for nothing"
    assert outputs["short"].tokens_in


def test_the_prompt_carries_the_languages_and_the_examples() -> None:
    assert SHOTS.completion([Source("a", "和平。")], "zh-en") == (
        "Chinese: 各国应当遵守国际法。\nEnglish: All countries should abide by international law.\n\n"
        "Chinese: 和平。\nEnglish:"
    )
    turns = Prompt("p", "{target_language}: {source}", SHOTS.examples).messages(
        [Source("a", "{peace}")], "en-zh"
    )
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert turns[1]["content"] == "各国应当遵守国际法。"
    assert turns[2]["content"] == "Chinese: {peace}"  # braces in a source are text


@pytest.mark.slow
def test_what_changes_the_output_changes_the_identity(checkpoints: dict[str, Path]) -> None:
    path = str(checkpoints["qwen"])
    identities = [
        LLM(path, CHAT, direction="zh-en").identity(),
        LLM(path, SHOTS, direction="zh-en").identity(),
        LLM(path, CHAT, dtype="bfloat16", direction="zh-en").identity(),
        LLM(path, CHAT, max_new_tokens=9, direction="zh-en").identity(),
        LLM(str(checkpoints["gemma"]), CHAT, direction="zh-en").identity(),
    ]
    assert len({str(identity) for identity in identities}) == len(identities)
    assert LLM(path, CHAT, direction="zh-en").identity() == identities[0]


@pytest.mark.slow
def test_wrong_checkpoints_are_sentences(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("not a model")
    with pytest.raises(BenchError, match="neither a GGUF file nor a model folder"):
        loaded(tmp_path / "model.txt", CHAT)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("{}")
    with pytest.raises(BenchError, match="cannot be loaded"):
        loaded(tmp_path / "empty", CHAT)
    no_template = tiny.byte_level_tokenizer()
    no_template.chat_template = None
    with pytest.raises(BenchError, match="no chat template"):
        RequestTokenizer(no_template, CHAT, Limits(), "zh-en")
