"""Tags within the text of a translation unit: elements of TMX and XLIFF, and tags that a tool wrote as text."""

from __future__ import annotations

import html
import re
from typing import Any

from bench.references.reading.pairs import one_line
from bench.references.reading.xml_stream import local_name

_INLINE_CODES = ("bpt", "ept", "ph", "it", "ut", "bx", "ex", "sc", "ec", "sm", "em", "cp")
"""Elements that hold the code of a tag ("<b>"), not text. Text around them, and inside <g>, <pc>, <hi>,
<mrk>, is kept."""
_ESCAPED_CODE = re.compile(r"<(bpt|ept|ph|it|ut)\b[^<>]{0,500}>.{0,500}?</\1>", re.DOTALL)
"""An inline code of TMX or XLIFF that was escaped together with its content."""
_ESCAPED_TAG = re.compile(
    r"</?(?:[bisupagxh]|br|em|strong|span|font|sub|sup|div|li|[uo]l|t[drh]|img|hr|bx|ex|bpt|ept|ph|it|hi|ut|mrk|cf"
    r"|pc|sc|ec|[a-z]{1,5}\d{1,4}|\d{1,4})(?:\s[^<>]{0,500})?\s*/?>",
    re.IGNORECASE,
)
"""A tag of HTML, XLIFF or a translation tool (<f0>, <1/>) in the text."""
_LINE_BREAK = re.compile(r"<(?:br|p|div|li|hr|tr)\b[^<>]{0,500}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-fA-F]{1,6});")


def unit_text(element: Any) -> str:
    """The text of a `<seg>`, `<source>` or `<target>` on one line, without tags; "" if there is no element."""
    return "" if element is None else one_line(_without_escaped_tags(_text(element)))


def _text(element: Any) -> str:
    texts = [element.text or ""]
    for child in element:
        if not local_name(child):  # reference to an entity that the file does not define: &nbsp;
            texts.append(html.unescape(child.text))
        elif child.get("ctype") == "lb":
            texts.append("\n")
        elif local_name(child) not in _INLINE_CODES:
            texts.append(_text(child))
        texts.append(child.tail or "")
    return "".join(texts)


def _without_escaped_tags(text: str) -> str:
    """The text without tags that are escaped in it, and with its entities resolved if there were any."""
    if "<" not in text:
        return text
    plain = _LINE_BREAK.sub("\n", _ESCAPED_CODE.sub("", text))
    plain = _ESCAPED_TAG.sub("", plain)
    return text if plain == text else _ENTITY.sub(lambda match: html.unescape(match.group()), plain)
