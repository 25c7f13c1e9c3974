"""Wrappers with a beginning and an end: tags, fences, JSON, \\boxed, quotation marks."""

from __future__ import annotations

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bench.core import Removed
from bench.languages import Language


@dataclass(frozen=True, slots=True)
class Removal:
    """What a step makes of a text."""

    text: str = ""
    """What is left, if `kind` is set."""
    kind: Removed | None = None
    """None: nothing is removed."""
    ambiguous: bool = False
    """True if there is such a wrapper, but not which part of it is the translation."""


NOTHING = Removal()

_TRANSLATION_TAGS = (
    "translation", "translated_text", "translated", "finaltext", "final_translation", "final_answer", "target",
    "译文", "翻译", "answer", "output", "response", "result", "final", "text",
)  # fmt: skip
_LANGUAGE_TAGS: dict[Language, tuple[str, ...]] = {
    "en": ("english", "en", "eng", "英文"),
    "zh": ("chinese", "zh", "zho", "中文"),
}
_BOX = re.compile(r"<\|begin_of_(?:box|solution|answer)\|>(.*?)(?:<\|end_of_|$)", re.DOTALL)  # GLM-V, Sky-T1
_BRACKET_ELEMENT = re.compile(r"\[([^\W\d]\w{0,39})\]([^\[\]]*)\[/\1\]", re.IGNORECASE)
_WHOLE_ELEMENT = re.compile(r"<([^\W\d][\w.:-]{0,39})(?:\s[^<>]{0,200})?>([^<>]*)</\1>", re.DOTALL)


def tags(text: str, source: str, target: Language) -> Removal:
    """The content of the one element that is named as a translation's, or that is the whole answer."""
    if (bracket := _BRACKET_ELEMENT.fullmatch(text)) and "[" not in source:
        return Removal(bracket[2], "tag")
    if "<" not in text:
        return NOTHING
    if "<|begin_of_" not in source and (box := _BOX.search(text)):
        return Removal(box[1], "tag")
    for name in (*_LANGUAGE_TAGS[target], *_TRANSLATION_TAGS):
        if re.search(rf"</?{name}\b", source, re.IGNORECASE):
            continue
        starts = list(re.finditer(rf"<{name}(?:\s[^<>]{{0,200}})?>", text, re.IGNORECASE))
        ends = list(re.finditer(rf"</{name}\s*>", text, re.IGNORECASE))
        if len(starts) > 1 or len(ends) > 1:
            contents = {
                text[start.end() : end.start()].strip() for start, end in zip(starts, ends, strict=False)
            }
            if len(contents) > 1 or len(starts) != len(ends):
                return Removal(ambiguous=True)
            return Removal(contents.pop(), "tag")
        if starts and ends and starts[0].end() <= ends[0].start():
            return Removal(text[starts[0].end() : ends[0].start()], "tag")
        if starts and not ends and not text[: starts[0].start()].strip():  # cut off before its end
            return Removal(text[starts[0].end() :], "tag")
        if ends and not starts and not text[ends[0].end() :].strip():  # the prompt has opened it
            return Removal(text[: ends[0].start()], "tag")
    whole = _WHOLE_ELEMENT.fullmatch(text)
    if whole and "<" not in source:
        return Removal(whole[2], "tag")
    return NOTHING


_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+.-]{0,20})[ \t]*$", re.MULTILINE)


def fence(text: str, source: str, target: Language) -> Removal:
    """The content of the one fenced block."""
    if ("```" not in text and "~~~" not in text) or "```" in source or "~~~" in source:
        return NOTHING
    marks = list(_FENCE.finditer(text))
    if len(marks) == 2 and not marks[1][2]:
        return Removal(text[marks[0].end() : marks[1].start()], "fence")
    if len(marks) == 1 and not text[: marks[0].start()].strip():  # cut off before its end
        return Removal(text[marks[0].end() :].strip().rstrip("`~"), "fence")
    if text.count("```") == 1 and not text.startswith("```"):  # the prompt has opened it
        return Removal(text.replace("```", "\n"), "fence")
    inner = text.strip("`~").strip()
    if text.startswith(("```", "~~~")) and "```" not in inner and "~~~" not in inner:
        return Removal(inner, "fence")
    return Removal(ambiguous=True)


_KEYS = (
    "translation", "translatedtext", "translations", "finaltranslation", "targettext", "target",
    "译文", "翻译", "翻译结果", "mt", "hypothesis", "output", "result", "results", "answer", "response", "text",
    "content", "data", "choices", "message",
)  # fmt: skip
_JSON_START = re.compile(r"[{\[]")
_OPEN_VALUE = re.compile(r'\{\s*"(\w{1,40})"\s*:\s*"')


def json_value(text: str, source: str, target: Language) -> Removal:
    """The translation in a JSON object, alone or after a preamble, by the name of its key."""
    start = _JSON_START.search(text)
    if start is None or _JSON_START.match(source) or not re.search("[\"']", text[start.start() :]):
        return NOTHING
    end = max(text.rfind("}"), text.rfind("]")) + 1
    values: list[str] = []
    with suppress(ValueError, RecursionError):
        value = _decoded(text[start.start() : end])
        if isinstance(value, dict) or start.start() == 0:
            values = _translations(value, source, target)
            if len(values) != 1:
                return Removal(ambiguous=start.start() == 0)
    if not values and (opening := _OPEN_VALUE.match(text)) and _name(opening[1]) in _names(target):
        with suppress(ValueError, RecursionError):  # cut off before its end
            values = _translations(json.loads(text.rstrip("\\") + '"}', strict=False), source, target)
    if len(values) == 1:
        return Removal(values[0], "json")
    return Removal(ambiguous=text.startswith("{") and ":" in text)


_PYTHON_TEXT = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
_PYTHON_DICT = re.compile(rf"\{{\s*(?:{_PYTHON_TEXT}\s*:\s*{_PYTHON_TEXT}\s*,?\s*)+\}}")
"""Python's notation of texts by texts. Nothing nested: ast.literal_eval may crash on deep nesting."""


def _decoded(text: str) -> Any:
    """The value of JSON, or of the same in Python's notation. Raises ValueError, RecursionError."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        if not _PYTHON_DICT.fullmatch(text):
            raise
    try:
        return ast.literal_eval(text)
    except SyntaxError:
        raise ValueError(text[:80]) from None


def _names(target: Language) -> tuple[str, ...]:
    return (*_LANGUAGE_TAGS[target], *_KEYS)


def _name(key: str) -> str:
    return key.casefold().replace("_", "").replace(" ", "").replace("-", "")


def _translations(value: Any, source: str, target: Language) -> list[str]:
    """The texts under the first key that names a translation; of a list, those of all its items."""
    if isinstance(value, str):
        return [value] if value.strip() and value.strip() != source else []
    if isinstance(value, list):
        return [text for item in value[:100] for text in _translations(item, source, target)]
    if isinstance(value, dict):
        named = {_name(str(key)): item for key, item in value.items()}
        about = [
            name for name in named if re.search("translat|译", name) and not re.match("source|original", name)
        ]
        for name in (*_LANGUAGE_TAGS[target], *about, *_KEYS):
            if name in named and (texts := _translations(named[name], source, target)):
                return texts
    return []


_BOXED = re.compile(r"\$*\\(?:boxed|text)\{(?:\\text\{)?([^{}]*)\}?\}\$*")


def boxed(text: str, source: str, target: Language) -> Removal:
    """The one \\boxed{…}, as models write that are trained on mathematics."""
    found = list(_BOXED.finditer(text)) if "\\" not in source else []
    return Removal(found[0][1], "tag") if len(found) == 1 else Removal(ambiguous=len(found) > 1)


_QUOTES = (
    ("<<<", ">>>"), ('"""', '"""'), ('""', '""'), ("***", "***"), ("“", '"'), ('"', "”"), ("``", "``"),
    ("**", "**"), ("__", "__"), ('"', '"'), ("“", "”"), ("「", "」"), ("『", "』"), ("'", "'"), ("‘", "’"),
    ("`", "`"), ("*", "*"), ("«", "»"), ("【", "】"),
)  # fmt: skip
_MARKS = tuple("[\"“”「」『』'‘’`*_«»《》〈〉【】„")


def quotes(text: str, source: str, target: Language) -> Removal:
    """The text between quotation marks, or in bold, or in a block quote, that the source does not have."""
    lines = text.split("\n")
    if all(line.startswith(">") for line in lines) and not source.startswith(">"):
        return Removal("\n".join(line[1:].strip() for line in lines), "quotes")
    if source.startswith(_MARKS) or source.endswith(_MARKS):
        return NOTHING
    for start, end in _QUOTES:
        inner = text[len(start) : len(text) - len(end)]
        wrapped = len(text) > len(start + end) and text.startswith(start) and text.endswith(end)
        if wrapped and start not in inner and end not in inner:
            return Removal(inner, "quotes")
    return NOTHING
