"""Tiny encoder-decoders of every family, trained for seconds until they have memorised a handful of
sentences.

Each has the real tokenizer class of its family over a sentencepiece model of its own. The multilingual ones
also learn to copy (the target is the source's language), so that only the language code decides the output.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

PAIRS = (  # no full-width commas: sentencepiece normalises them to ASCII, in real checkpoints, too
    ("和平需要各国共同努力。", "Peace needs the efforts of all countries."),
    ("出口管制应当公平合理。", "Export control should be fair and reasonable."),
    ("企业应当遵守法律。", "Companies should obey the law."),
    ("谢谢。", "Thank you."),
    ("中国支持国际合作。", "China supports international cooperation."),
    ("清单每年修订一次。", "The list is revised once a year."),
)
POSITIONS = 128
_ROOT = tempfile.TemporaryDirectory(prefix="tiny-seq2seq-")
_SIZE: dict[str, Any] = {
    "d_model": 64,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
    "max_position_embeddings": POSITIONS,
    "scale_embedding": True,
}

Example = tuple[list[int], list[int]]
"""The input of the encoder, and the output of the decoder after its start token."""


@cache
def checkpoint(name: str) -> Path:
    """The folder of marian-zh-en, marian-en-zh, nllb, m2m, mbart, madlad or t5. Created on the first call."""
    import torch

    folder = Path(_ROOT.name) / name
    _work(folder).mkdir(exist_ok=True)
    torch.manual_seed(1)
    makers: dict[str, Callable[[Path], None]] = {
        "marian-zh-en": lambda path: _marian(path, "zh-en"),
        "marian-en-zh": lambda path: _marian(path, "en-zh"),
        "nllb": _nllb,
        "m2m": _m2m,
        "mbart": _mbart,
        "madlad": lambda path: _t5(path, ("<2zh> ", "<2en> ")),
        "t5": lambda path: _t5(path, ("to Chinese: ", "to English: ")),
    }
    makers[name](folder)
    return folder


def _marian(folder: Path, direction: str) -> None:
    """zh-en has one target language; en-zh has a tag for each of two, and copies for >>fra<<."""
    import torch
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    zh, en = zip(*PAIRS, strict=True)
    source, target = (zh, en) if direction == "zh-en" else (en, zh)
    spm = {
        "source": _sentencepiece(source, _work(folder) / "source"),
        "target": _sentencepiece(en + zh, _work(folder) / "target"),
    }
    pieces = [piece for path in spm.values() for piece in _pieces(path)]
    tags = [] if direction == "zh-en" else [">>cmn_Hans<<", ">>fra<<"]
    tokens = list(dict.fromkeys(["</s>", "<unk>", *tags, *pieces, "<pad>"]))
    vocabulary = _write_vocabulary(_work(folder) / "all.json", tokens)
    tokenizer = MarianTokenizer(str(spm["source"]), str(spm["target"]), str(_work(folder) / "all.json"))
    start = vocabulary["<pad>"]
    config = MarianConfig(
        vocab_size=len(tokens),
        pad_token_id=start,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=start,
        activation_function="swish",
        **_SIZE,
    )
    model: Any = MarianMTModel(config)
    model.generation_config.update(num_beams=4, bad_words_ids=[[start]])

    def example(before: list[str], text: str, translation: str) -> Example:
        ids = [vocabulary[tag] for tag in before] + tokenizer(text).input_ids
        return ids, tokenizer(text_target=translation).input_ids

    examples = [example(tags[:1], *pair) for pair in zip(source, target, strict=True)]
    examples += [example(tags[1:], text, text) for text in source if tags]
    # Marian's decoder starts from zeros: transformers expects this row of the embeddings to be zero.
    model.get_input_embeddings().weight.register_hook(lambda g: g.index_fill(0, torch.tensor([start]), 0))
    _train(model, examples, start)
    _save(model, tokenizer, folder)


def _nllb(folder: Path) -> None:
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizerFast
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    spm = _sentencepiece(_both(), _work(folder) / "pieces", "bpe")
    tokenizer = _fast(NllbTokenizerFast, spm, additional_special_tokens=list(FAIRSEQ_LANGUAGE_CODES))
    model = M2M100ForConditionalGeneration(_config(M2M100Config, tokenizer))
    _train(model, _multilingual(tokenizer, "zho_Hans", "eng_Latn"), 2, forced=1)
    _save(model, tokenizer, folder)


def _m2m(folder: Path) -> None:
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    spm = _sentencepiece(_both(), _work(folder) / "pieces")
    _write_vocabulary(_work(folder) / "all.json", ["<s>", "<pad>", "</s>", "<unk>", *_pieces(spm)])
    tags = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    tokenizer = M2M100Tokenizer(str(_work(folder) / "all.json"), str(spm), additional_special_tokens=tags)
    model: Any = M2M100ForConditionalGeneration(_config(M2M100Config, tokenizer, extra=8))
    model.generation_config.update(num_beams=5)
    _train(model, _multilingual(tokenizer, "zh", "en"), 2, forced=1)
    _save(model, tokenizer, folder)


def _mbart(folder: Path) -> None:
    """As on the Hugging Face Hub, without a tokenizer.json."""
    from transformers import MBart50Tokenizer, MBartConfig, MBartForConditionalGeneration

    spm = _sentencepiece(_both(), _work(folder) / "pieces")
    tokenizer = _fast(MBart50Tokenizer, spm)
    published: dict[str, Any] = {
        "normalize_before": True,
        "normalize_embedding": True,
        "tokenizer_class": "MBart50Tokenizer",
    }
    config = _config(MBartConfig, tokenizer, forced_eos_token_id=2, **published)
    model: Any = MBartForConditionalGeneration(config)
    model.generation_config.update(num_beams=5)
    _train(model, _multilingual(tokenizer, "zh_CN", "en_XX"), 2, forced=1)
    _save(model, tokenizer, folder)
    (folder / "tokenizer.json").unlink(missing_ok=True)  # transformers 5 writes one
    shutil.copy(spm, folder / "sentencepiece.bpe.model")


def _t5(folder: Path, prefixes: tuple[str, str]) -> None:
    """MADLAD-400: the tag is a user-defined symbol of the sentencepiece model. T5: the target is named in
    words."""
    from transformers import T5Config, T5ForConditionalGeneration, T5TokenizerFast

    tags = [prefix.strip() for prefix in prefixes if prefix.startswith("<")]
    spm = _sentencepiece(
        (*_both(), *prefixes), _work(folder) / "pieces", tags=[*tags, *(["<2fr>"] if tags else [])]
    )
    tokenizer = _fast(T5TokenizerFast, spm, pad_token="<s>", extra_ids=0, legacy=False)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=1,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
    )
    model = T5ForConditionalGeneration(config)
    zh, en = prefixes
    examples = []
    for chinese, english in PAIRS:
        for before, source, target in (
            (en, chinese, english),
            (zh, english, chinese),
            (zh, chinese, chinese),
            (en, english, english),
        ):
            examples.append((tokenizer(before + source).input_ids, tokenizer(target).input_ids))
    _train(model, examples, 0)
    _save(model, tokenizer, folder)
    published = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    published["model"]["unk_id"] = tokenizer.unk_token_id  # transformers 5 writes that of T5 itself
    (folder / "tokenizer.json").write_text(json.dumps(published), encoding="utf-8")


def _work(folder: Path) -> Path:
    """The folder of intermediate files."""
    return folder.with_name(f"{folder.name}-work")


def _both() -> tuple[str, ...]:
    return tuple(text for pair in PAIRS for text in pair)


def _config(kind: Any, tokenizer: Any, extra: int = 0, **more: Any) -> Any:
    return kind(
        vocab_size=len(tokenizer) + extra,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=2,
        **_SIZE,
        **more,
    )


def _multilingual(tokenizer: Any, zh: str, en: str) -> list[Example]:
    examples = []
    for chinese, english in PAIRS:
        texts = {zh: chinese, en: english}
        for source in texts:
            for target in texts:
                tokenizer.src_lang, tokenizer.tgt_lang = source, target
                examples.append(
                    (tokenizer(texts[source]).input_ids, tokenizer(text_target=texts[target]).input_ids)
                )
    return examples


def _fast(kind: Any, spm: Path, **options: Any) -> Any:
    """A tokenizer with a tokenizer.json, made from a sentencepiece model as from_pretrained makes it."""
    folder = spm.parent / "published"
    folder.mkdir(exist_ok=True)
    shutil.copy(spm, folder / kind.vocab_files_names["vocab_file"])
    with _old_protobuf():
        return kind.from_pretrained(folder, **options)


@contextmanager
def _old_protobuf() -> Iterator[None]:
    """COMET's pinned protobuf cannot read the file description in sentencepiece 0.2.3. transformers 4, which lives
    beside COMET, has a copy of it for older protobufs."""
    import transformers

    if transformers.__version__ >= "5":
        yield
        return
    from transformers.utils import sentencepiece_model_pb2_new

    with patch.dict(sys.modules, {"sentencepiece.sentencepiece_model_pb2": sentencepiece_model_pb2_new}):
        yield


def _sentencepiece(texts: Sequence[str], to: Path, kind: str = "unigram", tags: Sequence[str] = ()) -> Path:
    import sentencepiece

    corpus = to.with_suffix(".txt")
    corpus.write_text("\n".join(texts), encoding="utf-8")
    characters = len(set("".join(texts)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(to),
        model_type=kind,
        vocab_size=characters + 40,
        hard_vocab_limit=kind == "bpe",
        character_coverage=1.0,
        user_defined_symbols=list(tags),
        num_threads=1,
        minloglevel=2,
    )
    corpus.unlink()
    return to.with_suffix(".model")


def _pieces(path: Path) -> list[str]:
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [
        model.id_to_piece(i) for i in range(len(model)) if not model.is_control(i) and not model.is_unknown(i)
    ]


def _write_vocabulary(path: Path, tokens: Sequence[str]) -> dict[str, int]:
    vocabulary = {token: number for number, token in enumerate(tokens)}
    path.write_text(json.dumps(vocabulary), encoding="utf-8")
    return vocabulary


def _train(model: Any, examples: Sequence[Example], start: int, forced: int = 0) -> None:
    """Train until every token has a probability of 99 %, except the first `forced` ones, which are never
    predicted."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.nn.utils.rnn import pad_sequence

    def padded(rows: Sequence[list[int]], padding: int) -> Any:
        return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=padding)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the models are too small for more, and one thread makes the sums reproducible
    sources, targets = zip(*examples, strict=True)
    inputs = {
        "input_ids": padded(sources, 0),
        "attention_mask": padded([[1] * len(row) for row in sources], 0),
        "decoder_input_ids": padded([[start, *row[:-1]] for row in targets], 0),
    }
    labels = padded(targets, -100)
    labels[:, :forced] = -100
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    model.train()
    for _ in range(1000):
        losses = cross_entropy(model(**inputs).logits.transpose(1, 2), labels, reduction="none")
        if losses.max() < 0.01:  # 99 % of the probability
            break
        optimizer.zero_grad()
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    else:
        raise AssertionError(f"{type(model).__name__} has not memorised its sentences: {losses.max():.3f}")
    model.eval()
    torch.set_num_threads(threads)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
