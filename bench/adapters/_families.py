"""Tokenizer and language-tag conventions of encoder-decoder checkpoints."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from bench import limits as largest
from bench.adapters._requests import Limits, control_token_escaper, token_counts
from bench.checkpoints.loading import configs, end_tokens, load_tokenizer
from bench.checkpoints.safety import load_errors
from bench.core import Source
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction, Language, sides
from bench.prompt import format_fields

_PREFIX_FIELDS = {"source_language", "target_language", "source_code", "target_code"}

Beams = Annotated[int, Meta(ge=1, le=largest.BEAMS)]


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    models: tuple[str, ...]
    """Values of `model_type` in config.json."""
    codes: Mapping[Language, str]
    """The family's language codes."""
    tag: str
    """The token for a code: "__{}__"."""
    tag_position: Literal["both", "source", "prefix"]
    """Where language tags are placed.

    "both": the source's tag at the source (its tokenizer does that), the target's before the output.
    "source": the target's tag before the source.
    "prefix": the target's tag is written in `prefix`, if anywhere.
    """
    beams: int
    """Beam size if the checkpoint's generation config has none."""
    prefix: str | None = ""
    """Text before every source. May use {source_language}, {target_language} (Chinese, English),
    {source_code} and {target_code}. None: the user must say."""
    tag_pattern: str = r"(?!)"
    """Regular expression of tags that the tokenizer reads in any text but does not list as special."""


FAMILIES = (
    # fairseq, examples/nllb/modeling/evaluation/conf/generate_multi.yaml: beam_size 4
    Family("NLLB-200", ("m2m_100", "nllb-moe"), {"zh": "zho_Hans", "en": "eng_Latn"}, "{}", "both", 4),
    # the published generation_config.json of both: num_beams 5
    Family("M2M-100", ("m2m_100",), {"zh": "zh", "en": "en"}, "__{}__", "both", 5),
    Family("mBART-50", ("mbart",), {"zh": "zh_CN", "en": "en_XX"}, "{}", "both", 5),
    Family(
        "MADLAD-400",
        ("t5", "mt5", "umt5"),
        {"zh": "zh", "en": "en"},
        "<2{}>",
        "prefix",
        beams=4,  # as the T5 paper translates; we found no published decoding settings of MADLAD-400
        prefix="<2{target_code}> ",
        tag_pattern=r"[<＜]2\w+[>＞]",  # sentencepiece normalises full-width characters to ASCII
    ),
    Family(
        "Marian",
        ("marian",),
        {"zh": "cmn_Hans", "en": "eng"},
        ">>{}<<",
        "source",
        beams=4,  # generation_config.json of OPUS-MT: 4 or 6, by checkpoint
        tag_pattern=r"^>>",
    ),
)
_UNKNOWN_TEXT = "\ue000"
"""A character that no vocabulary has: for private use."""
_UNKNOWN = Family("unknown", (), {}, "", "prefix", 4, prefix=None)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an encoder-decoder. None: the checkpoint's generation config, or its family, decides."""

    codes: Mapping[Language, str] = field(default_factory=dict)
    """Language codes that differ from the family's: {zh: zho_Hant}."""
    prefix: str | None = None
    beams: int | None = None
    length_penalty: float | None = None
    """The score of a beam is its log probability divided by (length in tokens) ** length_penalty."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if unknown := set(self.codes) - set(LANGUAGE_NAMES):
            raise BenchError(
                f"system.adapter.codes has {', '.join(map(str, unknown))}: the only languages are zh and en."
            )
        if self.beams is not None and self.beams < 1:
            raise BenchError(f"beams={self.beams} cannot decode: use 1 for greedy decoding, or more.")
        try:
            if format_fields(self.prefix or "") - _PREFIX_FIELDS:
                raise ValueError
        except ValueError:
            raise BenchError(
                f"The prefix {self.prefix!r} may use {{source_language}}, {{target_language}}, "
                "{source_code} and {target_code}, and no other braces."
            ) from None

    def identity(self) -> dict[str, Any]:
        return {
            "codes": dict(self.codes),
            "prefix": self.prefix,
            "beams": self.beams,
            "length_penalty": self.length_penalty,
            **self.limits.identity(),
        }


def family(config: Any, tokenizer: Any) -> Family:
    """The family of a checkpoint: families share model types, so its language codes are checked, too."""
    for candidate in FAMILIES:
        tags = [candidate.tag.format(code) for code in candidate.codes.values()]
        untagged = candidate.tag_position == "source"  # Marian with one target language
        if config.model_type in candidate.models and (
            untagged or all(_is_token(tokenizer, tag) for tag in tags)
        ):
            return candidate
    return _UNKNOWN


def load_family_tokenizer(path: Path) -> Any:
    """A checkpoint's own tokenizer, slow if it has no tokenizer.json (mBART-50).

    transformers would convert the sentencepiece model to a fast one. That takes seconds each time, and it
    fails if sentencepiece is newer than protobuf, as with COMET's pins.
    """
    with warnings.catch_warnings():
        # Marian's tokenizer wants sacremoses for `normalize`, which nothing here calls.
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        is_fast = (path / "tokenizer.json").is_file()
        tokenizer = load_tokenizer(path, use_fast=is_fast)
        if is_fast and tokenizer.eos_token_id in tokenizer(_UNKNOWN_TEXT, add_special_tokens=False).input_ids:
            # transformers 5 gives every T5Tokenizer the id of T5's unknown token, which ends a text in MADLAD-400.
            import transformers

            with load_errors(path):
                return transformers.PreTrainedTokenizerFast.from_pretrained(path, local_files_only=True)
        return tokenizer


class SourceTokenizer:
    """Turns sources into token ids with a checkpoint's own tokenizer, and token ids into translations."""

    def __init__(self, path: Path, settings: Settings, direction: Direction) -> None:
        self.direction = direction
        self._source, self._target = sides(direction)
        self.tokenizer = load_family_tokenizer(path)
        config, generation = configs(path)
        self.family = family(config, self.tokenizer)
        self.ends = end_tokens(generation, self.tokenizer)
        # Only T5's config has none: its attention uses relative positions.
        self._positions = int(getattr(config, "max_position_embeddings", None) or 1 << 30)
        self.max_output = self._positions - 2
        """Number of tokens that the decoder can write after its start token and the language tag."""
        # A generation config without num_beams says 1 (transformers 4) or None (5).
        published = generation.num_beams or 1
        self.beams = settings.beams or (published if published > 1 else self.family.beams)
        penalties = (settings.length_penalty, generation.length_penalty, 1.0)
        self.length_penalty = float(next(value for value in penalties if value is not None))
        self._limits = settings.limits
        self._escape = control_token_escaper(self.tokenizer, self.family.tag_pattern)
        self._codes = {**self.family.codes, **settings.codes}
        self._tags = {language: self._tag(language, settings) for language in LANGUAGE_NAMES}
        self._prefix = self.family.prefix if settings.prefix is None else settings.prefix
        if self._prefix is None:
            raise BenchError(
                f"The checkpoint in {path} is none of {', '.join(f.name for f in FAMILIES)}: set its source "
                "prefix, system.adapter.prefix='translate {source_language} to {target_language}: ' or ''."
            )

    @property
    def forced(self) -> list[int]:
        """The tokens that every output begins with."""
        return self._tags[self._target] if self.family.tag_position == "both" else []

    def ids(self, source: Source) -> list[int]:
        """The encoder's input. Never cut off."""
        if self.family.tag_position == "both":
            self.tokenizer.src_lang = self._codes[self._source]
        text = _fill(self._prefix or "", self.direction, self._codes) + self._escape(source.text)
        ids = list(self.tokenizer(text).input_ids)
        return [*self._tags[self._target], *ids] if self.family.tag_position == "source" else ids

    def limit(self, source: Source) -> int:
        """Maximum number of tokens of the translation."""
        counts = token_counts(self.tokenizer, source.text.split("\n"))
        return min(self._limits.max_tokens(counts, self.direction), self.max_output)

    def fits(self, ids: list[int]) -> bool:
        """Whether the encoder has enough positions for an input."""
        return len(ids) <= self._positions

    def text(self, tokens: list[int]) -> str:
        # Cleaning up would remove spaces that a sentencepiece model rightly puts before punctuation.
        decoded = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(decoded).strip()

    def _tag(self, language: Language, settings: Settings) -> list[int]:
        """The token of a language; empty if the checkpoint needs none."""
        code = self._codes.get(language)
        if not code or not self.family.tag:
            return []
        tag = self.family.tag.format(code)
        if _is_token(self.tokenizer, tag):
            return [int(self.tokenizer.convert_tokens_to_ids(tag))]
        if language not in settings.codes:  # Marian with a single target language needs no tag
            return []
        raise BenchError(
            f"The checkpoint does not know the language code {code}, its vocabulary has no {tag}: correct "
            f"system.adapter.codes.{language} ({self.family.name} usually has {self.family.codes[language]})."
        )


def _is_token(tokenizer: Any, token: str) -> bool:
    """Whether the vocabulary has it. Tokenizers return <unk> for any other, without a warning."""
    return tokenizer.convert_tokens_to_ids(token) not in (None, tokenizer.unk_token_id)


def _fill(prefix: str, direction: Direction, codes: Mapping[Language, str]) -> str:
    source, target = sides(direction)
    return prefix.format(
        source_language=LANGUAGE_NAMES[source],
        target_language=LANGUAGE_NAMES[target],
        source_code=codes.get(source, source),
        target_code=codes.get(target, target),
    )
