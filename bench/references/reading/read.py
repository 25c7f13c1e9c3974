"""Files in any supported format -> one shape of text. `read` is the only entry point.

Plain text is decoded in plain_text.py; web pages and Markdown are read in web_page.py, Word in word.py, PDF in pdf.py;
files that are already aligned are read in bitext_xml.py (TMX, XLIFF) and tables.py (TSV, CSV).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench import limits, progress
from bench.errors import BenchError
from bench.files import read_bytes
from bench.languages import LANGUAGE_NAMES, Language, Side
from bench.references.reading import bitext_xml, tables
from bench.references.reading.anchors import keep_shared_anchors
from bench.references.reading.pairs import chinese_share, orient
from bench.references.reading.pdf import read_pdf
from bench.references.reading.plain_text import decode_text, normalize_line_ends
from bench.references.reading.web_page import decode_page, read_markdown, read_page
from bench.references.reading.word import read_word

Format = Literal["text", "html", "markdown", "docx", "pdf", "tmx", "xliff", "tsv", "csv"]
_WITH_ANCHORS = ("html", "markdown")
_ALIGNED = ("tmx", "xliff", "tsv", "csv")


_MIN_CHINESE = 0.02
"""The share of Chinese in the Chinese one of two files, at least: it may hold long lists of English names."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One of the files that a text was read from."""

    name: str
    """File name without its folder."""
    sha256: str
    format: Format
    encoding: str
    """"utf-8", "utf-8-sig", "utf-16", "gb18030", "big5hkscs", or what an XML file or a web page declares; "" for
    docx and pdf."""


@dataclass(frozen=True, slots=True)
class SourceText:
    r"""A document as text, whatever its file format.

    Lines end in "\n". "\f" begins the first line of a page, if pages are known.
    """

    texts: Mapping[Side, str]
    """Either {"both": …}, one text with both languages in it, or {"zh": …, "en": …}."""
    aligned: bool
    """True if line n of zh and line n of en translate each other; one of them may be empty."""
    origin: tuple[Origin, ...]
    not_read: tuple[str, ...] = ()
    """What the files hold beside the text, in words: "law.docx: comments (120 characters)"."""
    variety: str = ""
    """The variety of the Chinese as a language tag, if the file says it: "zh-Hant-TW"."""


def read(paths: Sequence[Path]) -> SourceText:
    """Read one file with both languages in it, or two files with one language each, in either order.

    Raises BenchError if a file cannot be read, has an unsupported format, or lacks a language.
    """
    if not 1 <= len(paths) <= 2:
        raise BenchError(f"{len(paths)} files were given: pass one with both languages, or one per language.")
    if len(paths) == 1:
        source = _read_file(paths[0])
        if source.origin[0].format in _WITH_ANCHORS:
            (text,) = keep_shared_anchors([source.texts["both"]])
            source = replace(source, texts={"both": text})
        return source
    sources = [_read_file(path) for path in paths]
    for path, source in zip(paths, sources, strict=True):
        if source.aligned:
            raise BenchError(f"{path} has both languages and is already aligned: pass it alone.")
    texts = [source.texts["both"] for source in sources]
    shares = [chinese_share(text) for text in texts]
    languages: list[Language] = ["zh", "en"] if shares[0] > shares[1] else ["en", "zh"]
    if min(shares) > 0.5 or max(shares) < _MIN_CHINESE or max(shares) < 2 * min(shares):
        name = LANGUAGE_NAMES["zh" if sum(shares) > 1 else "en"]
        raise BenchError(
            f"{paths[0]} and {paths[1]} are both mostly {name}: pass one Chinese and one English text."
        )
    for path, share, language in zip(paths, shares, languages, strict=True):
        if 0.2 < share < 0.8:
            progress.say(
                f"{path} has much text in both languages and is read as {LANGUAGE_NAMES[language]} only.",
                warning=True,
            )
    texts = keep_shared_anchors(texts)
    zh, en = texts if languages[0] == "zh" else reversed(texts)
    origin = tuple(source.origin[0] for source in sources)
    not_read = tuple(dict.fromkeys(note for source in sources for note in source.not_read))
    return SourceText({"zh": zh, "en": en}, False, origin, not_read)


def _read_file(path: Path) -> SourceText:
    data = _read_document(path)
    file_format = _detect_format(data, path)
    encoding, variety, not_read = "", "", list[str]()
    skipped: Counter[str] = Counter()
    if file_format == "docx":
        text, not_read = read_word(data, path)
        text = normalize_line_ends(text)
    elif file_format == "pdf":
        text = normalize_line_ends(read_pdf(data, path))
    elif file_format == "html":
        page, encoding = decode_page(data, path)
        text = read_page(page, path, skipped)
    elif file_format == "markdown":
        page, encoding = decode_text(data, path)
        text = read_markdown(page, path, skipped)
    elif file_format in ("tmx", "xliff"):
        pairs, encoding, variety = bitext_xml.read_pairs(data, path)
    else:
        text, encoding = decode_text(data, path)
        if file_format in ("tsv", "csv"):
            pairs = tables.read_pairs(text, path, "\t" if file_format == "tsv" else ",")
    parts = [side for pair in pairs for side in pair] if file_format in _ALIGNED else [text]
    _refuse_size(parts, path)
    origin = (Origin(path.name, hashlib.sha256(data).hexdigest(), file_format, encoding),)
    if file_format in _ALIGNED:
        zh, en = orient(pairs, path)
        return SourceText({"zh": zh, "en": en}, True, origin, variety=variety)
    if not text.strip():
        raise BenchError(f"{path} has nothing but white space: pass a file with text in it.")
    not_read += [f"{what} ({count:,} characters)" for what, count in sorted(skipped.items()) if count]
    if not_read:
        progress.say(f"{path}: not read: {', '.join(not_read)}.")
    return SourceText({"both": text}, False, origin, tuple(f"{path.name}: {what}" for what in not_read))


def _refuse_size(texts: Sequence[str], path: Path) -> None:
    """Raise BenchError for a document that would take hours to align. A few kB can unpack to gigabytes."""
    characters, lines = sum(map(len, texts)), len(texts) + sum(text.count("\n") for text in texts)
    for count, largest, noun in (
        (characters, limits.DOCUMENT_CHARACTERS, "characters"),
        (lines, limits.DOCUMENT_LINES, "lines"),
    ):
        if count > largest:
            raise BenchError(f"{path} has {count:,} {noun}, more than {largest:,}: split the document.")


def _read_document(path: Path) -> bytes:
    try:
        data = read_bytes(path, limits.DOCUMENT_BYTES, advice="pass a document that can be read")
    except FileNotFoundError:
        raise BenchError(f"{path} does not exist: check its name.") from None
    if not data:
        raise BenchError(f"{path} is empty: pass a file with text in it.")
    return data


_UNSUPPORTED = (
    (r"\xd0\xcf\x11\xe0", "an old Office file; save it as .docx"),
    (r"\{\\rtf", "rich text; save it as .docx or as plain text"),
    (r"\s*<\?xml", "XML; name it .tmx or .xliff if it is one of these, or save it as plain text"),
)
"""First bytes (regular expression), and what such a file is and how to convert it."""


_WEB_PAGE = re.compile(
    rb"(?i)\s*(<\?xml[^>]{0,100}\?>\s*)?(<!--.{0,300}?-->\s*)?(<!doctype html|<html)", re.DOTALL
)


def _detect_format(data: bytes, path: Path) -> Format:
    """The format by the file's name; the first bytes win if they show Word, PDF or an unsupported format."""
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
            f"{path} is not a {suffix[1:].upper()} file despite its name: pass the document itself."
        )
    if suffix in (".html", ".htm", ".xhtml") or _WEB_PAGE.match(start):
        return "html"
    for pattern, description in _UNSUPPORTED:
        if re.match(pattern.encode(), start):
            raise BenchError(f"{path} is {description}.")
    if suffix in (".md", ".markdown"):
        return "markdown"
    return "tsv" if suffix == ".tsv" else "csv" if suffix == ".csv" else "text"
