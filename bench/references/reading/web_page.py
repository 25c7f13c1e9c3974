"""Web pages and Markdown -> text in reading order: a paragraph, heading, list item or table cell per block.

lxml's HTML parser reads any page and limits its depth; markdown-it-py turns Markdown (CommonMark with tables) into
HTML. Main-text extractors such as trafilatura drop short paragraphs and list numbers, which a law needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from lxml import etree, html

from bench.errors import BenchError
from bench.languages import DOCUMENT_HAN
from bench.references.reading.plain_text import decode_text

_SKIPPED = frozenset(
    "head script style template noscript svg math canvas iframe object select button textarea nav aside rt rp".split()
)
"""Elements that hold no text of the document."""
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark q ruby s samp small "
    "span strike strong sub sup time tt u var wbr".split()
)
_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{2,20})|<\?xml[^>]{0,80}encoding=[\"']([\w-]{2,20})",
    re.I,
)
_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "iso-8859-1": "cp1252",
    "windows-1252": "cp1252",
    "us-ascii": "cp1252",
}
"""Encodings that pages declare, by the codec that reads them as browsers do."""
_PERMALINK = re.compile(r"[¶#§🔗\s]*")
_NOTE_REFERENCE = re.compile(r"\s*\[?(\d{1,3}|[a-z*†‡])\]?\s*")
_HAN = re.compile(f"[{DOCUMENT_HAN}]")
_FRONT_MATTER = re.compile(r"\A---\n(?:.*\n){0,200}?---\n")
_ATTRIBUTES = re.compile(r"[ \t]{0,20}\{[#.:][^{}\n]{0,200}\}[ \t]{0,20}$", re.MULTILINE)
_CHINESE_LINE_END = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")
_STRONG_LEFT = re.compile(r"\*\*([^*\n]{1,500})\*\*")
"""Emphasis that CommonMark does not see between Chinese characters and quotation marks."""


def decode_page(data: bytes, path: Path) -> tuple[str, str]:
    """The characters of a page in the encoding that it declares, or as those of a text file."""
    match = (
        None if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) else _CHARSET.search(data[:4096])
    )
    codec = _CODECS.get(next(filter(None, match.groups())).decode("ascii").lower()) if match else None
    if codec and codec != "utf-8":
        try:
            return data.decode(codec), codec
        except UnicodeDecodeError:
            pass  # the declaration is wrong
    return decode_text(data, path)


def read_markdown(text: str, path: Path) -> str:
    """The text of a Markdown file without its marks."""
    from markdown_it import MarkdownIt

    text = _break_lines(_ATTRIBUTES.sub("", _FRONT_MATTER.sub("", text)))
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    return _STRONG_LEFT.sub(r"\1", read_page(f"<body>{rendered}</body>", path))


def _break_lines(text: str) -> str:
    """Keep the line break where a paragraph changes from one language to the other."""
    lines = text.split("\n")
    for index, (line, following) in enumerate(pairwise(lines)):
        has_letters = re.search(r"\w", line) and re.search(r"\w", following)
        if has_letters and bool(_HAN.search(line)) != bool(_HAN.search(following)):
            lines[index] = f"{line}  "
    return "\n".join(lines)


def read_page(text: str, path: Path) -> str:
    """The text of an HTML page. Navigation, scripts, forms and references to notes are left out.

    Numbers of ordered lists are written out. Raises BenchError if the page has no text; `path` is for the message.
    """
    text = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text)
    parser = html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True)
    try:
        root = html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        raise BenchError(
            f"{path} has no text that can be read as a web page: save it as plain text."
        ) from None
    blocks, current = [], list[str]()
    for part in _parts(root):
        if part is None:
            blocks.append(_tidy("".join(current)))
            current = []
        else:
            current.append(part)
    blocks.append(_tidy("".join(current)))
    return "\n\n".join(block for block in blocks if re.search(r"\w", block)) + "\n"


def _tidy(text: str) -> str:
    lines = (" ".join(line.split(" ")) for line in re.sub(r"[ \t\r\f\xa0]+", " ", text).split("\n"))
    return "\n".join(line.strip() for line in lines if line.strip())


def _parts(root: Any) -> Iterator[str | None]:
    """The texts of a page in order, and None where a block begins or ends. Not recursive: pages are untrusted."""
    stack: list[tuple[Any, bool]] = [(root, True)]
    numbers: dict[Any, int] = {}  # list -> the number of its last item
    while stack:
        element, is_start = stack.pop()
        name = element.tag if isinstance(element.tag, str) else ""
        is_block = bool(name) and name not in _INLINE and name != "br"
        if not is_start:
            if is_block:
                yield None
            yield _inline_text(element.tail, element.getparent())
            continue
        stack.append((element, False))
        if not name or _is_skipped(element, name):
            continue
        if name == "br":
            yield "\n"
        if is_block:
            yield None
        if name == "li":
            yield _list_number(element, numbers)
        yield _inline_text(element.text, element)
        stack.extend((child, True) for child in reversed(element))


def _inline_text(text: str | None, element: Any) -> str:
    """Line ends are spaces, and nothing between two Chinese characters."""
    if element is not None and element.tag == "pre":
        return text or ""
    single = re.sub(r"[ \t\r\n\f]+", lambda match: "\n" if "\n" in match.group() else " ", text or "")
    return _CHINESE_LINE_END.sub("", single).replace("\n", " ")


def _is_skipped(element: Any, name: str) -> bool:
    style = re.sub(r"\s", "", element.get("style", "")).lower()
    if name in _SKIPPED or "display:none" in style or element.get("hidden") is not None:
        return True
    if element.get("role") == "navigation" or element.get("aria-hidden") == "true":
        return True
    if name == "footer":
        return next(element.iterancestors("article", "main"), None) is None
    if name == "a" and len(element) == 0:
        return bool(_PERMALINK.fullmatch(element.text or ""))
    if name == "sup" and element.find(".//a") is not None:
        return bool(_NOTE_REFERENCE.fullmatch("".join(element.itertext())[:20]))
    return False


def _list_number(item: Any, numbers: dict[Any, int]) -> str:
    """What a browser writes in front of the next item of a list: "2. ", "b. ", "iii. ", or a bullet."""
    parent = item.getparent()
    if parent is None or parent.tag not in ("ol", "ul"):
        return ""
    if re.search(r"list-style(-type)?:\s*none", parent.get("style", "")):
        return ""
    if parent.tag == "ul":
        return "• "
    following = numbers[parent] + 1 if parent in numbers else _integer(parent.get("start"), 1)
    number = numbers[parent] = _integer(item.get("value"), following)
    kind = parent.get("type", "1")
    if kind in ("a", "A") and 1 <= number <= 26:
        return f"{chr(ord(kind) + number - 1)}. "
    if kind in ("i", "I") and 1 <= number < 90:
        return f"{_roman(number).upper() if kind == 'I' else _roman(number)}. "
    return f"{number}. "


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,4}", text) else default


def _roman(number: int) -> str:
    tens, units = divmod(number, 10)
    tens_text = ("", "x", "xx", "xxx", "xl", "l", "lx", "lxx", "lxxx")[tens]
    return tens_text + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[units]
