"""The copy of its source that a set's folder keeps, and left_out.jsonl: what of the source is in no segment.

`bench references build` writes these files; check and review read them.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from bench.errors import BenchError
from bench.files import check_inside, check_values
from bench.languages import LANGUAGE_NAMES, Language, Side
from bench.references.overrides import NAME as SENTENCE
from bench.references.reading.read import SourceText, read
from bench.references.segmentation.extract import LeftOut
from bench.references.set_folder import REBUILD, decode_row, read_text

TEXT_FILES: dict[Side, str] = {"both": "source.txt", "zh": "source.zh.txt", "en": "source.en.txt"}
"""One file with both languages, or one file per language."""
ALIGNED_FILE = "source.tsv"
"""The file of a source that came aligned: a header, then one pair per row."""


def source_paths(folder: Path) -> list[Path]:
    """The files from which the set in `folder` was built; [] if there is no set in it.

    Raises BenchError if one of them is a link that leads out of the folder: a rebuild would copy what it
    leads to into the set.
    """
    if not (folder / "segments.jsonl").is_file():
        return []
    choices = (ALIGNED_FILE,), (TEXT_FILES["zh"], TEXT_FILES["en"]), (TEXT_FILES["both"],)
    complete = (names for names in choices if all((folder / name).is_file() for name in names))
    paths = [folder / name for name in next(complete, ())]
    for path in paths:
        check_inside(path, folder)
    return paths


def source_lines(folder: Path) -> dict[Language, list[str]]:
    """The lines of the source by language; the same list for both languages if they are in one file."""
    aligned = folder / ALIGNED_FILE
    if aligned.is_file():
        check_inside(aligned, folder)
        texts = read([aligned]).texts
        return {language: texts[language].split("\n") for language in LANGUAGE_NAMES}
    if (folder / TEXT_FILES["zh"]).is_file():
        return {language: read_text(folder / TEXT_FILES[language]).split("\n") for language in LANGUAGE_NAMES}
    return dict.fromkeys(LANGUAGE_NAMES, read_text(folder / TEXT_FILES["both"]).split("\n"))


def source_contents(source: SourceText) -> dict[str, str]:
    """File name -> content of the files that keep `source` in a set's folder."""
    if not source.aligned:
        return {TEXT_FILES[side]: text for side, text in source.texts.items()}
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(("zh", "en"))
    zh, en = (source.texts[language].split("\n") for language in LANGUAGE_NAMES)
    writer.writerows(zip(zh, en, strict=True))
    return {ALIGNED_FILE: table.getvalue()}


def read_left_out(folder: Path) -> list[LeftOut]:
    """The entries of left_out.jsonl. Raises BenchError, with file and line, at the first fault."""
    path = folder / "left_out.jsonl"
    entries = []
    text = read_text(path)
    check_values(text.encode(), path, advice=REBUILD)
    for number, line in enumerate(text.split("\n")[:-1], 1):
        entry = decode_row(line, LeftOut, f"{path}:{number}")
        if not entry.reason:
            raise BenchError(f"{path}:{number}: the reason is empty; {REBUILD}.")
        if len(entry.lines) != entry.text.count("\n") + 1:
            raise BenchError(f"{path}:{number}: text and lines differ in their number of lines; {REBUILD}.")
        if entry.sentence and not SENTENCE.fullmatch(entry.sentence):
            raise BenchError(f"{path}:{number}: {entry.sentence!r} is not the name of a sentence; {REBUILD}.")
        entries.append(entry)
    return entries
