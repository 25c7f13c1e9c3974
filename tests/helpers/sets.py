"""Shortcuts into the pipeline, and documents that the tests of reference sets share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.core import Segment
from bench.languages import LANGUAGE_NAMES, Language
from bench.references.alignment.pipeline import BuildResult, build_segments
from bench.references.reading.read import SourceText
from bench.references.segmentation.pieces import Piece, split_lines
from bench.resources import data_dir

REFERENCES = Path(__file__).parents[1] / "references"
WHITE_PAPER = data_dir("references") / "china-export-controls-2021"
LICENCE = data_dir("references") / "cc-by-4.0"
GOLD = REFERENCES / "gold"
STATEMENT = GOLD / "ocean-statement.txt"
DOCUMENTS = sorted(path.name.removesuffix(".gold.tsv") for path in GOLD.glob("*.gold.tsv"))
BLIND = sorted(f"blind/{path.name.removesuffix('.gold.tsv')}" for path in GOLD.glob("blind/*.gold.tsv"))
"""Documents that were written after the rules."""
PUBLIC = sorted(f"public/{path.name.removesuffix('.gold.tsv')}" for path in GOLD.glob("public/*.gold.tsv"))
"""Texts that were published by others."""


def sources(document: str) -> list[Path]:
    """The file, or the two files, of a gold document."""
    bilingual = GOLD / f"{document}.txt"
    return [bilingual] if bilingual.is_file() else [GOLD / f"{document}.zh.txt", GOLD / f"{document}.en.txt"]


def gold(path: Path) -> list[tuple[str, str]]:
    """Chinese and English of each line."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [(zh, en) for zh, en in rows]


def both(text: str) -> SourceText:
    return SourceText({"both": text}, False, ())


def two(zh: str, en: str) -> SourceText:
    return SourceText({"zh": zh, "en": en}, False, ())


def rows(zh: Sequence[str], en: Sequence[str]) -> SourceText:
    """A source that is already aligned."""
    return SourceText({"zh": "\n".join(zh), "en": "\n".join(en)}, True, ())


def built(text: str) -> BuildResult:
    return build_segments(both(text))


def texts(segments: Sequence[Segment]) -> list[tuple[str, str]]:
    return [(s.zh, s.en) for s in segments]


def half(text: str, language: Language, paged: bool = True) -> str:
    """One language of a bilingual text. With `paged`, a page begins where the language changes."""
    lines = ""
    previous: Piece | None = None
    for piece in split_lines(text):
        if piece.language == language:
            same_language = previous is None or previous.language == language
            lines += "\n" if previous and not (same_language and piece.line == previous.line + 1) else ""
            lines += ("\f" if paged and not same_language else "") + " " * piece.column + piece.text + "\n"
        previous = piece
    return lines


def edit(folder: Path, line: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change one segment and update the hash, so that only the change itself can be refused."""
    path = folder / "segments.jsonl"
    rows = [json.loads(text) for text in path.read_text("utf-8").splitlines()]
    change(rows[line - 1])
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "segments.sha256").write_text(f"{digest}  segments.jsonl\n")


def halves(folder: Path) -> tuple[Path, Path]:
    """The statement as two files, Chinese first."""
    text = STATEMENT.read_text("utf-8")
    for language in LANGUAGE_NAMES:
        (folder / f"statement.{language}.txt").write_text(half(text, language), "utf-8")
    return folder / "statement.zh.txt", folder / "statement.en.txt"


def left_out(folder: Path) -> list[dict[str, Any]]:
    """The rows of left_out.jsonl."""
    return [json.loads(line) for line in (folder / "left_out.jsonl").read_text("utf-8").splitlines()]


NOTE_WITHIN = (
    "Trade grows. China stands for peace and will work with\n\n* Note: A source.\n\n"
    "贸易增长。中国坚持和平，将与\n\n* 注：来源。\n\nall Countries. Peace lasts.\n\n各国合作。和平持久。\n"
)
"""A footnote within a sentence."""
