"""Texts in a question to a judge: JSON strings, so that a text can end neither its own place nor the question."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_CONTROL = re.compile(r"<|\[(?=/?[A-Z_]+\])")
"""Where tags and control tokens of chat templates begin: <|im_end|>, </s>, [INST]. A server may read them as such
anywhere in a text."""


def as_string(text: str) -> str:
    """A text as a JSON string, on one line, with < and the bracket of [INST] escaped."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def as_list(texts: Sequence[str]) -> str:
    """Texts as a JSON list of strings, one per line."""
    return "[" + ",\n".join(map(as_string, texts)) + "]"
