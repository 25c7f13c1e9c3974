"""Web pages and Markdown -> text in reading order: a paragraph, heading, list item or table cell per block.

lxml's HTML parser reads any page and limits its depth; markdown-it-py turns Markdown (CommonMark with tables) into
HTML. Main-text extractors such as trafilatura drop short paragraphs and list numbers, which a law needs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from lxml import etree, html

from bench.errors import BenchError
from bench.languages import DOCUMENT_HAN
from bench.references.reading.anchors import anchor_line, without_anchor_lines
from bench.references.reading.plain_text import decode_text

_CODE = frozenset("head script style template noscript svg math canvas iframe object".split())
_SKIPPED = frozenset("select button textarea nav aside rt rp".split())
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
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)\n(?:.*\n){0,200}?\1\n")
"""YAML or TOML."""
_ATTRIBUTES = re.compile(r"[ \t]{0,20}\{[#.:][^{}\n]{0,200}\}[ \t]{0,20}$", re.MULTILINE)
_HEADING_ID = re.compile(
    r"^(#{1,6} [^\n{]{0,500})\{#([\w.:-]{1,80})[^{}\n]{0,200}\}[ \t]*$", re.MULTILINE | re.ASCII
)
_CHINESE_LINE_END = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])\n(?=[\u3000-\u9fff\uff00-\uffef])")
_SENTENCE_END = re.compile(r"[。！？：；][”’」』）》)*_]*\s*$")
_NUMBER = re.compile(
    r"[*_\s]{0,8}(?:第[ \d〇零一二三四五六七八九十百千]{1,12}[编編章节節条條款]|[一二三四五六七八九十]{1,3}、"
    r"|[（(](?:[一二三四五六七八九十]{1,3}|\d{1,2}|[a-z]{1,4})[）)]|\d{1,2}[.、．]\s?(?!\d)"
    r"|(?:Article|Section|Chapter|Part|Annex)\s+(?:\d{1,3}|[IVXLC]{1,7})\b)"
)
"""A number that begins a line of its own. Segmentation decides what it numbers."""
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


def read_markdown(text: str, path: Path, not_read: Counter[str] | None = None) -> str:
    """The text of a Markdown file without its marks. `not_read`: see read_page."""
    from markdown_it import MarkdownIt

    if not_read is not None and (matter := _FRONT_MATTER.match(text)):
        not_read["front matter"] += len(matter[0])
    text = _HEADING_ID.sub(r'<a id="\2"></a>\n\n\1', _FRONT_MATTER.sub("", text))
    text = _break_lines(_ATTRIBUTES.sub("", text))
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    return _STRONG_LEFT.sub(r"\1", read_page(f"<body>{rendered}</body>", path, not_read))


def _break_lines(text: str) -> str:
    """Keep the line break where a paragraph changes from one language to the other, where a Chinese line ends a
    sentence, and before a number: 第二条, (b), Article 3."""
    lines = text.split("\n")
    for index, (line, following) in enumerate(pairwise(lines)):
        if not (re.search(r"\w", line) and re.search(r"\w", following)):
            continue
        is_chinese = bool(_HAN.search(line))
        ends_sentence = is_chinese and _SENTENCE_END.search(line[-10:])
        if is_chinese != bool(_HAN.search(following)) or ends_sentence or _NUMBER.match(following):
            lines[index] = f"{line}  "
    return "\n".join(lines)


def read_page(text: str, path: Path, not_read: Counter[str] | None = None) -> str:
    """The text of an HTML page. Navigation, scripts, forms, references to notes and what is marked as in a third
    language (`lang`) are left out; `not_read` counts their characters.

    Numbers of ordered lists are written out. A line such as "{#id}" stands before an element with an id. A line ends
    where `lang` changes between Chinese and English. Raises BenchError if the page has no text; `path` is for the
    message.
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
    for part in _parts(root, Counter() if not_read is None else not_read):
        if part is None:
            blocks.append(_tidy("".join(current)))
            current = []
        else:
            current.append(part)
    blocks.append(_tidy("".join(current)))
    return "\n\n".join(block for block in blocks if re.search(r"\w", block)) + "\n"


def _tidy(text: str) -> str:
    """One paragraph, or several if two line breaks follow each other."""
    paragraphs = re.split(r"\n\s*\n", re.sub(r"[ \t\r\f\xa0]+", " ", text))
    lines = (
        "\n".join(line.strip() for line in paragraph.split("\n") if line.strip()) for paragraph in paragraphs
    )
    return "\n\n".join(filter(None, lines))


def _parts(root: Any, not_read: Counter[str]) -> Iterator[str | None]:
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
            elif name and _language(element) in _OWN_LANGUAGES:
                yield "\n"
            yield _inline_text(element.tail, element.getparent())
            continue
        stack.append((element, False))
        if not name:
            continue
        if name == "a" and (line := _anchor(element, is_block)):
            yield f"\n\n{line}\n\n"
        if reason := _skipped_as(element, name):
            not_read[reason] += sum(len(text.strip()) for text in element.itertext()) if reason else 0
            continue
        if name == "br":
            yield "\n"
        if is_block:
            yield None
        if name != "a" and (line := _anchor(element, is_block)):
            yield f"\n\n{line}\n\n"
        elif not is_block and _language(element) in _OWN_LANGUAGES:
            yield "\n"
        if name == "li":
            yield _list_number(element, numbers)
        yield _inline_text(element.text, element)
        stack.extend((child, True) for child in reversed(element))


def _anchor(element: Any, is_block: bool) -> str:
    """The line for an element's id; "" if it has none or stands within a line."""
    name = element.get("id") or (element.get("name") if element.tag == "a" else None)
    if not name:
        return ""
    parent = element.getparent()
    begins = element.getprevious() is None and parent is not None and not (parent.text or "").strip()
    return anchor_line(name) if is_block or begins else ""


def _inline_text(text: str | None, element: Any) -> str:
    """Line ends are spaces, and nothing between two Chinese characters."""
    text = without_anchor_lines(text or "")
    if element is not None and element.tag == "pre":
        return text
    single = re.sub(r"[ \t\r\n\f]+", lambda match: "\n" if "\n" in match.group() else " ", text)
    return _CHINESE_LINE_END.sub("", single).replace("\n", " ")


def _skipped_as(element: Any, name: str) -> str:
    """What an element is that holds no text of the document; "" if it holds some."""
    style = re.sub(r"\s", "", element.get("style", "")).lower()
    if name in _CODE:
        return "scripts and settings"
    if "display:none" in style or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return "hidden text"
    if name in _SKIPPED or element.get("role") == "navigation":
        return "navigation and forms"
    if name == "footer":
        return (
            "" if next(element.iterancestors("article", "main"), None) is not None else "navigation and forms"
        )
    if name != "html" and (language := _language(element)) and language not in _OWN_LANGUAGES:
        return "text in a third language"
    if name == "a" and len(element) == 0:
        return "links to notes" if _PERMALINK.fullmatch(element.text or "") else ""
    if name == "sup" and element.find(".//a") is not None:
        return "links to notes" if _NOTE_REFERENCE.fullmatch("".join(element.itertext())[:20]) else ""
    return ""


_OWN_LANGUAGES = ("zh", "en")
_CHINESE_CODES = ("cmn", "yue", "chi", "zho")


def _language(element: Any) -> str:
    """The language that an element's `lang` names: "zh", "en" or another code; "" if it names none."""
    code = (element.get("lang") or element.get("{http://www.w3.org/XML/1998/namespace}lang") or "").lower()
    language = re.split("[-_]", code.strip())[0]
    return (
        "zh"
        if language in _CHINESE_CODES
        else {"eng": "en", "und": "", "mul": "", "zxx": ""}.get(language, language)
    )


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
