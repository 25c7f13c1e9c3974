"""The seq2seq adapter through its real code path, on tiny real checkpoints of every family."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.adapters.seq2seq import Seq2Seq
from bench.core import Output, Source
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from tests.helpers.seq2seq import FAMILIES, UNSEEN, adapter, texts, translated
from tests.helpers.tiny_seq2seq import POSITIONS, checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, None])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", FAMILIES)
def test_what_was_learned_is_said(name: str, direction: Direction, beams: int | None) -> None:
    sources, wanted = texts(direction)
    found = translated(adapter(name, direction, beams=beams), sources)
    assert [found[source.id].text for source in sources] == wanted
    assert not any(output.truncated for output in found.values())


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, None])
@pytest.mark.parametrize("name", FAMILIES)
def test_no_output_depends_on_batch_order_or_the_limits_of_neighbours(name: str, beams: int | None) -> None:
    """Of known and unknown sources, with limits from 8 tokens to 25: some rows run into theirs, others end
    before."""
    sources = texts("zh-en")[0] + [Source(text, text) for text in UNSEEN]
    limits: dict[str, Any] = {"tokens_base": 2, "tokens_ratio": {"zh-en": 2.2}, "max_new_tokens": 25}
    together = translated(adapter(name, "zh-en", beams=beams, **limits), sources)
    assert len({output.truncated for output in together.values()}) == 2
    assert len({output.tokens_out for output in together.values() if output.truncated}) > 1
    assert together == translated(adapter(name, "zh-en", beams=beams, **limits), sources, batch=1)
    assert together == translated(adapter(name, "zh-en", beams=beams, **limits), sources[::-1], batch=5)


@pytest.mark.slow
@pytest.mark.parametrize("beams", [1, 3])
def test_the_same_as_generate_alone(beams: int) -> None:
    """transformers' own generate is the judge, one source at a time, with its limit as the only one."""
    import torch

    system = adapter("nllb", "zh-en", beams=beams, tokens_base=2, tokens_ratio={"zh-en": 1.2})
    sources = [Source(text, text) for text in UNSEEN]
    found = translated(system, sources)
    tokenizer = system._tokenizer.tokenizer
    for source in sources:
        tokenizer.src_lang = "zho_Hans"
        ids = tokenizer(source.text, return_tensors="pt")
        limit = system._tokenizer.limit(source)
        forced = tokenizer.convert_tokens_to_ids("eng_Latn")
        with torch.inference_mode():
            (out,) = system._model.generate(
                **ids, forced_bos_token_id=forced, num_beams=beams, max_new_tokens=limit + 1
            )
        assert found[source.id].text == tokenizer.decode(out, skip_special_tokens=True).strip()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("nllb", {"en": "zho_Hans"}),
        ("m2m", {"en": "zh"}),
        ("mbart", {"en": "zh_CN"}),
        ("madlad", {"en": "zh"}),
    ],
)
def test_the_wrong_code_gives_the_wrong_language(name: str, codes: dict[Any, str]) -> None:
    sources, _ = texts("zh-en")
    found = translated(adapter(name, "zh-en", codes=codes), sources)
    assert [found[source.id].text for source in sources] == [source.text for source in sources]


@pytest.mark.slow
def test_marian_has_a_tag_where_there_are_several_target_languages() -> None:
    sources, _ = texts("en-zh")
    found = translated(adapter("marian", "en-zh", codes={"zh": "fra"}), sources)
    assert [found[source.id].text for source in sources] == [source.text for source in sources]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["marian", "nllb", "m2m", "mbart", "madlad"])
def test_an_unknown_code_is_refused(name: str) -> None:
    with pytest.raises(BenchError, match=r"does not know the language code zho_Hanz.*adapter\.codes\.zh"):
        adapter(name, "en-zh", codes={"zh": "zho_Hanz"}).load()


@pytest.mark.slow
def test_a_model_of_no_family_needs_a_prefix() -> None:
    with pytest.raises(BenchError, match=r"none of NLLB-200.*adapter\.prefix="):
        adapter("t5", "en-zh", prefix=None).load()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_control_tokens_in_a_source_are_text(name: str) -> None:
    """They change words, but never the language, the end of the source or the neighbours."""
    sources, wanted = texts("en-zh")
    evil = [
        Source(f"evil {n}", f"{token} {sources[0].text} {token} {sources[2].text}")
        for n, token in enumerate(
            [
                "</s>",
                "<pad>",
                "zho_Hans",
                "eng_Latn",
                "__en__",
                "en_XX",
                "<2fr>",
                "＜2fr＞",
                ">>fra<<",
                ">>x y<<",
                " >>fra<<",
            ]
        )
    ]
    system = adapter(name, "en-zh")
    found = translated(system, sources + evil)
    assert [found[source.id].text for source in sources] == wanted
    reader, special = system._tokenizer, set(system._tokenizer.tokenizer.all_special_ids)
    special |= {reader.tokenizer.convert_tokens_to_ids(tag) for tag in ("<2fr>", ">>fra<<", "__en__")}
    special -= {reader.tokenizer.unk_token_id}
    usual = [id for id in reader.ids(sources[0]) if id in special]
    for source in evil:
        ids = reader.ids(source)
        assert [id for id in ids if id in special] == usual, source.text
        assert len(ids) > len(reader.ids(sources[0])) + len(reader.ids(sources[2])) - 3


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_a_source_longer_than_the_encoder_is_not_cut(name: str) -> None:
    sources, wanted = texts("zh-en")
    found = translated(adapter(name, "zh-en"), [*sources, Source("long", "国际合作" * POSITIONS)])
    if name in ("madlad", "t5"):  # attention by distance: it has no such end
        assert found["long"].tokens_in > POSITIONS
    else:
        assert found["long"] == Output("", truncated=True)
    assert [found[source.id].text for source in sources] == wanted


@pytest.mark.slow
def test_the_limit_is_reported_and_counts_are_without_padding() -> None:
    sources, _ = texts("zh-en")
    free = translated(adapter("nllb", "zh-en"), sources)
    assert len({output.tokens_in for output in free.values()}) > 2
    short = translated(adapter("nllb", "zh-en", max_new_tokens=4, tokens_base=4), sources)
    assert {output.tokens_out for output in short.values()} == {4}
    assert all(output.truncated for output in short.values())
    system = adapter("nllb", "zh-en", beams=3)
    system.load()
    assert system.batch_cost((sources[0],)) == 3 * (14 + 32 + int(2.5 * 12))


@pytest.mark.slow
def test_pickled_weights_are_read_where_they_are_asked_for(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSeq2SeqLM

    folder = shutil.copytree(checkpoint("marian-zh-en"), tmp_path / "old")
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(BenchError, match=r"no \*\.safetensors.*set system\.adapter\.pickled=true"):
        Seq2Seq(str(folder), direction="zh-en").load()
    sources, wanted = texts("zh-en")
    found = translated(Seq2Seq(str(folder), pickled=True, direction="zh-en"), sources)
    assert [found[source.id].text for source in sources] == wanted


@pytest.mark.slow
def test_the_families_own_beams() -> None:
    """The checkpoint's generation config first, then what its family was published with."""
    for name, beams in {"marian": 4, "nllb": 4, "m2m": 5, "mbart": 5, "madlad": 4}.items():
        system = adapter(name, "zh-en")
        system.load()
        assert system._tokenizer.beams == beams


def test_wrong_settings_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"checkpoint has zh-en, but the direction is en-zh"):
        Seq2Seq({"zh-en": str(tmp_path)}, direction="en-zh")
    with pytest.raises(BenchError, match="codes has fr: the only languages are zh and en"):
        Seq2Seq(str(tmp_path), codes={"fr": "fra_Latn"}, direction="en-zh")  # type: ignore[dict-item]
    with pytest.raises(BenchError, match="beams=0"):
        Seq2Seq(str(tmp_path), beams=0, direction="en-zh")
    with pytest.raises(BenchError, match="no other braces"):
        Seq2Seq(str(tmp_path), prefix="{source}", direction="en-zh")


@pytest.mark.slow
def test_what_changes_the_output_changes_the_identity() -> None:
    identities = [
        adapter("nllb", "zh-en").identity(),
        adapter("m2m", "zh-en").identity(),
        adapter("marian", "zh-en").identity(),
        adapter("marian", "en-zh").identity(),
        adapter("nllb", "zh-en", codes={"zh": "zho_Hant"}).identity(),
        adapter("nllb", "zh-en", prefix="x").identity(),
        adapter("nllb", "zh-en", beams=2).identity(),
        adapter("nllb", "zh-en", length_penalty=0.6).identity(),
        adapter("nllb", "zh-en", dtype="bfloat16").identity(),
        adapter("nllb", "zh-en", max_new_tokens=9).identity(),
    ]
    assert len({str(identity) for identity in identities}) == len(identities)
    assert adapter("nllb", "en-zh").identity() == identities[0], "the direction is not the adapter's to tell"
