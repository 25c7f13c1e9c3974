"""What differs between the families of encoder-decoder checkpoints: how a source is handed to the encoder, and how the
decoder is told which language to write."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.adapters._requests import Limits, as_data
from bench.checkpoints.loading import configs, end_tokens, load_tokenizer
from bench.core import Source
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Direction, Language, sides


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    models: tuple[str, ...]
    """`model_type` in config.json."""
    codes: Mapping[Language, str]
    """What the family calls the languages."""
    tag: str
    """The token of a code: "__{}__"."""
    place: Literal["both", "source", "prefix"]
    """Where tags stand: the source's on the source and the target's at the head of the output; the target's before the
    source; or the target's in the text of `prefix`."""
    beams: int
    """Where the checkpoint's generation config names none."""
    prefix: str | None = ""
    """Before every source; {source_language}, {target_language} (Chinese, English), {source_code}, {target_code}."""
    tags_in_text: str = r"(?!)"
    """Regular expression of the tags that its tokenizer reads out of any text, though it does not call them special."""


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
        beams=4,  # as the T5 paper translates; of its own decoding MADLAD-400 has published nothing that we found
        prefix="<2{target_code}> ",
        tags_in_text=r"[<＜]2\w+[>＞]",  # sentencepiece makes ASCII of full-width characters first
    ),
    Family(
        "Marian",
        ("marian",),
        {"zh": "cmn_Hans", "en": "eng"},
        ">>{}<<",
        "source",
        beams=4,  # generation_config.json of OPUS-MT: 4 or 6, by checkpoint
        tags_in_text=r"^>>",
    ),
)
_PLAIN = Family("any other", (), {}, "", "prefix", 4, prefix=None)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a yaml may say of an encoder-decoder; None: as the family or the checkpoint's generation config has it."""

    codes: Mapping[Language, str] = field(default_factory=dict)
    """Language codes that differ from the family's: {zh: zho_Hant}."""
    prefix: str | None = None
    beams: int | None = None
    length_penalty: float | None = None
    """A beam's score is its log probability divided by its length in tokens to this power."""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if unknown := set(self.codes) - set(LANGUAGE_NAMES):
            raise BenchError(f"`codes` are of zh and en, and {', '.join(map(str, unknown))} is neither.")
        if self.beams is not None and self.beams < 1:
            raise BenchError(f"beams={self.beams} does not decode: use 1 for greedy decoding, or more.")
        try:
            _fill(self.prefix or "", "zh-en", {"zh": "", "en": ""})
        except (KeyError, ValueError, IndexError):
            raise BenchError(
                f"The prefix {self.prefix!r} may use {{source_language}}, {{target_language}}, {{source_code}} and "
                "{target_code}, and no other braces."
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
    """The family of a checkpoint: by its type of model and, as several share one, by the language codes it knows."""
    for candidate in FAMILIES:
        tags = [candidate.tag.format(code) for code in candidate.codes.values()]
        untagged = candidate.place == "source"  # Marian, with one target language
        if config.model_type in candidate.models and (untagged or all(_known(tokenizer, t) for t in tags)):
            return candidate
    return _PLAIN


def source_tokenizer(path: Path) -> Any:
    """A family's own tokenizer: mBART-50 has no tokenizer.json, and what transformers would make of its sentencepiece model
    takes seconds every time (and fails where sentencepiece is newer than protobuf, as COMET's pins have it)."""
    with warnings.catch_warnings():
        # Marian's wants sacremoses for a `normalize` that nothing here calls
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        return load_tokenizer(path, use_fast=(path / "tokenizer.json").is_file())


class SourceReader:
    """How a checkpoint's own tokenizer reads sources, for the engines of encoder-decoders (seq2seq, ctranslate2)."""

    def __init__(self, path: Path, settings: Settings, direction: Direction) -> None:
        self.direction = direction
        self._source, self._target = sides(direction)
        self.tokenizer = source_tokenizer(path)
        config, generation = configs(path)
        self.family = family(config, self.tokenizer)
        self.ends = end_tokens(generation, self.tokenizer)
        # Only in T5's kind, where attention knows distances and no positions, is it not in the config.
        self._positions = int(getattr(config, "max_position_embeddings", None) or 1 << 30)
        self.room = self._positions - 2
        """Tokens that the decoder can write: its start and the tag stand before them."""
        # Where a config does not set it, it says 1.
        published = generation.num_beams if generation.num_beams > 1 else self.family.beams
        self.beams = settings.beams or published
        named = settings.length_penalty
        self.length_penalty = float(generation.length_penalty if named is None else named)
        self._limits = settings.limits
        self._as_data = as_data(self.tokenizer, self.family.tags_in_text)
        self._codes = {**self.family.codes, **settings.codes}
        self._tags = {language: self._tag(language, settings) for language in LANGUAGE_NAMES}
        self._prefix = self.family.prefix if settings.prefix is None else settings.prefix
        if self._prefix is None:
            raise BenchError(
                f"The checkpoint in {path} is none of {', '.join(f.name for f in FAMILIES)}: say what stands before its "
                "sources, system.adapter.prefix='translate {source_language} to {target_language}: ', or '' for nothing."
            )

    def ids(self, source: Source) -> list[int]:
        """What the encoder reads: all of the source, however long."""
        if self.family.place == "both":
            self.tokenizer.src_lang = self._codes[self._source]
        text = _fill(self._prefix or "", self.direction, self._codes) + self._as_data(source.text)
        ids = list(self.tokenizer(text).input_ids)
        return [*self._tags[self._target], *ids] if self.family.place == "source" else ids

    @property
    def forced(self) -> list[int]:
        """What the decoder's output begins with."""
        return self._tags[self._target] if self.family.place == "both" else []

    def limit(self, source: Source) -> int:
        """The most tokens of the translation."""
        lines = source.text.split("\n")
        counts = (len(self.tokenizer(line, add_special_tokens=False).input_ids) for line in lines)
        return min(self._limits.of(counts, self.direction), self.room)

    def fits(self, ids: list[int]) -> bool:
        """Whether the encoder has positions for a source."""
        return len(ids) <= self._positions

    def text(self, tokens: list[int]) -> str:
        # What would be "cleaned up" are spaces that a sentencepiece model puts where they belong.
        decoded = self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(decoded).strip()

    def _tag(self, language: Language, settings: Settings) -> list[int]:
        """The token that stands for a language; none where the checkpoint needs none."""
        code = self._codes.get(language)
        if not code or not self.family.tag:
            return []
        tag = self.family.tag.format(code)
        if _known(self.tokenizer, tag):
            return [int(self.tokenizer.convert_tokens_to_ids(tag))]
        if language not in settings.codes:  # only Marian gets here: with a single target it needs no tag
            return []
        raise BenchError(
            f"The checkpoint does not know the language code {code}: its vocabulary has no {tag}. "
            f"Correct system.adapter.codes.{language} (the usual code of {self.family.name} is {self.family.codes[language]})."
        )


def _known(tokenizer: Any, token: str) -> bool:
    """Whether it is one token. Asked for any other, tokenizers give <unk> and say nothing."""
    return tokenizer.convert_tokens_to_ids(token) not in (None, tokenizer.unk_token_id)


def _fill(prefix: str, direction: Direction, codes: Mapping[Language, str]) -> str:
    source, target = sides(direction)
    return prefix.format(
        source_language=LANGUAGE_NAMES[source],
        target_language=LANGUAGE_NAMES[target],
        source_code=codes.get(source, source),
        target_code=codes.get(target, target),
    )
