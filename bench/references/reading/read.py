"""Files as people have them -> one shape of text: `read` is the only door.

Plain text is read here; Word and PDF in documents.py; files that are aligned already (TMX, XLIFF, TSV, CSV) in aligned.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from bench import progress
from bench.errors import BenchError
from bench.languages import Side
from bench.references.reading import aligned, documents

Format = Literal["text", "docx", "pdf", "tmx", "xliff", "tsv", "csv"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One of the files a text was read from."""

    name: str
    """Without its folder."""
    sha256: str
    format: Format
    encoding: str
    """"utf-8", "utf-8-sig", "utf-16", "gb18030", what an XML file declares; "" for docx and pdf."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """A document as text, whatever file it came in.

    Lines end in "\\n"; "\\f" begins the first line of a page that is known to be one.
    """

    texts: Mapping[Side, str]
    """Either {"both": …}, one text with both languages in it, or {"zh": …, "en": …}."""
    aligned: bool
    """Line n of zh and line n of en translate each other; either may be empty."""
    origin: tuple[Origin, ...]


def read(paths: Sequence[Path]) -> SourceText:
    """One file with both languages, or two with one language each, in either order.

    Raises BenchError, with one sentence, for what cannot be read or is no such file.
    """
    if not 1 <= len(paths) <= 2:
        raise BenchError(f"{len(paths)} files were given: give one with both languages, or one for each.")
    if len(paths) == 1:
        return _read_one(paths[0])
    found = [_read_one(path) for path in paths]
    for path, source in zip(paths, found, strict=True):
        if source.aligned:
            raise BenchError(f"{path} holds both languages, aligned already: give it alone.")
    texts = [source.texts["both"] for source in found]
    shares = [aligned.chinese_share(text) for text in texts]
    chinese = [share > 0.5 for share in shares]
    if chinese[0] == chinese[1]:
        language = "Chinese" if chinese[0] else "English"
        raise BenchError(
            f"{paths[0]} and {paths[1]} are both mostly {language}: give one Chinese and one English text."
        )
    for path, share in zip(paths, shares, strict=True):
        if 0.2 < share < 0.8:
            language = "Chinese" if share > 0.5 else "English"
            progress.say(f"{path} holds much of both languages and is read as all {language}.", warning=True)
    zh, en = texts if chinese[0] else reversed(texts)
    return SourceText({"zh": zh, "en": en}, False, tuple(s.origin[0] for s in found))


def _read_one(path: Path) -> SourceText:
    data = _bytes(path)
    kind = _format(data, path)
    encoding = ""
    if kind == "docx":
        text = _line_ends(documents.docx(data, path))
    elif kind == "pdf":
        text = _line_ends(documents.pdf(data, path))
    elif kind in ("tmx", "xliff"):
        pairs, encoding = aligned.from_xml(data, path)
    else:
        text, encoding = _decode(data, path)
        if kind in ("tsv", "csv"):
            pairs = aligned.from_table(text, path, "\t" if kind == "tsv" else ",")
    origin = (Origin(path.name, hashlib.sha256(data).hexdigest(), kind, encoding),)
    if kind in ("tmx", "xliff", "tsv", "csv"):
        zh, en = aligned.oriented(pairs, path)
        return SourceText({"zh": zh, "en": en}, True, origin)
    if not text.strip():
        raise BenchError(f"{path} holds nothing but white space: give a file with text in it.")
    return SourceText({"both": text}, False, origin)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise BenchError(f"{path} does not exist: check its name.") from None
    except IsADirectoryError:
        raise BenchError(f"{path} is a folder: give a file in it.") from None
    except OSError as error:
        raise BenchError(f"Cannot read {path} ({error.strerror}): give a file that can be read.") from None
    if not data:
        raise BenchError(f"{path} is empty: give a file with text in it.")
    return data


_NOT_TEXT = (
    (r"\xd0\xcf\x11\xe0", "an old Office file; save it as .docx"),
    (r"\{\\rtf", "rich text; save it as .docx or as plain text"),
    (r"(?i)\s*<!doctype html|\s*<html", "a web page; save it as plain text"),
    (r"\s*<\?xml", "XML; name it .tmx or .xliff if it is that, or save it as plain text"),
)


def _format(data: bytes, path: Path) -> Format:
    """The name decides; the first bytes overrule it where a file is Word or PDF, or nothing we read."""
    suffix = path.suffix.lower()
    if suffix == ".tmx":
        return "tmx"
    if suffix == ".xlf" or suffix.endswith("xliff"):  # .sdlxliff, .mqxliff: XLIFF 1.2 with additions
        return "xliff"
    start = data[:1024].removeprefix(b"\xef\xbb\xbf")
    if b"%PDF-" in start:
        return "pdf"
    if start.startswith(b"PK\x03\x04"):
        return "docx"
    if suffix in (".pdf", ".docx"):
        raise BenchError(
            f"{path} is no {suffix[1:].upper()} file, whatever its name: give the document itself."
        )
    for pattern, what in _NOT_TEXT:
        if re.match(pattern.encode(), start):
            raise BenchError(f"{path} is {what}.")
    return "tsv" if suffix == ".tsv" else "csv" if suffix == ".csv" else "text"


def _decode(data: bytes, path: Path) -> tuple[str, str]:
    """The text with "\\n" for every line end, and its encoding."""
    text, encoding = _characters(data, path)
    text = _line_ends(text)
    if control := re.search("[\0-\x08\x0e-\x1f\x7f]", text):
        line = text.count("\n", 0, control.start()) + 1
        raise BenchError(
            f"{path}:{line}: the control character U+{ord(control.group()):04X} is no text; save the file as plain text."
        )
    return text, encoding


def _line_ends(text: str) -> str:
    return re.sub("\r\n|[\r\v\x85\u2028\u2029]", "\n", text)


def _characters(data: bytes, path: Path) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            raise BenchError(f"{path} is damaged UTF-16: save it as UTF-8.") from None
    if b"\0" in data:
        raise BenchError(f"{path} is no text (or UTF-16 without a byte-order mark): save it as UTF-8 text.")
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        text = ""
    if not _is_common_chinese(text):
        raise BenchError(f"{path}:{line}: neither UTF-8 nor Chinese in GB18030; convert the file to UTF-8.")
    return text, "gb18030"


_COMMON = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学"
    "法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外"
    "天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很"
    "情者最立代想已通并提直题党程展五果料象员革位"
    "，。、；：？！（）"
)
"""The two hundred most frequent characters of modern Chinese, and its own punctuation."""


def _is_common_chinese(text: str) -> bool:
    """Whether bytes that could be decoded as GB18030 were GB18030: nearly any bytes can.

    At least 22 % of the first 100,000 characters beyond ASCII are common Chinese ones. Quotation marks and the like do not
    count: English text has them too, and they are the same bytes in Korean and Japanese encodings.

    Measured on windows of 60 to 3,000 characters and on whole files (manual pages, a handbook, the white paper): of 3,038 in
    GB18030, simplified and traditional, 2 were refused, and none of 9,430 in Big5, Shift-JIS, EUC-JP, EUC-KR, Latin-1,
    CP1251 and KOI8-R was taken. charset-normalizer 3.5 refused 62, parts of the white paper among them, and took 3.
    """
    beyond = [match.group() for match in islice(re.finditer(r"[^\0-\x7f“”‘’—…·《》]", text), 100_000)]
    return bool(text) and sum(char in _COMMON for char in beyond) >= 0.22 * len(beyond)
