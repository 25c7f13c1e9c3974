"""Strips chat boilerplate from outputs. The raw output stays in the run beside the cleaned one."""

from __future__ import annotations

import re

VERSION = 2
"""Part of a run's identity. Bump it if the output of `clean` changes."""

MAX_CHARACTERS = 20_000
"""Model output is untrusted: the regular expressions below never run on more than this."""

_PREAMBLE = re.compile(
    r"""^\s*(?:
        (?:sure|certainly|of\ course|okay|ok)\b[^\n:：]{0,80}[:：]
      | (?:here\ is|here's|below\ is|the\ following\ is)\b[^\n:：]{0,80}[:：]
      | (?:the\ )?(?:english\ |chinese\ )?translation(?:\ (?:is|in|into|of|to)\b[^\n:：]{0,60})?\s*[:：]
      | (?:english|chinese|译文|翻译|翻译结果|中文|英文|中文翻译|英文翻译|中文译文|英文译文)\s*[:：]
      | (?:好的|当然|以下是|下面是)[^\n:：]{0,40}[:：]
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_NOTE = re.compile(
    r"""\s*(?:
        [(（\[]\s*(?:note|translator's\ note|translation\ note|注|译注|译者注|说明)\s*[:：][^\n]*
      | \b(?:note|translator's\ note)\s*:[^\n]*
      | (?:注|译注|译者注)[:：][^\n]*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_THOUGHT = re.compile(
    r"\s*<think>.*?(?:</think>\s*|$)", re.DOTALL
)  # without an end if it was cut off while thinking
_QUOTES = {'"': '"', "“": "”", "「": "」", "'": "'", "‘": "’", "`": "`"}


def clean(raw: str, source: str) -> str:
    """The translation inside `raw`: without reasoning, preamble, wrapping quotes and trailing note.

    Only the first line is kept if the source is a single line. Nothing is stripped that the source has, too:
    if the source begins with "Note:", so may its translation.
    """
    text = raw[:MAX_CHARACTERS].strip()
    if thought := _THOUGHT.match(text):
        text = text[thought.end() :]
    if text.startswith("```"):
        text = text.strip("`").partition("\n")[2].strip()
    if not _PREAMBLE.match(source):
        text = _PREAMBLE.sub("", text, count=1)
    text = text.strip()
    if "\n" not in source.strip():
        text = text.partition("\n")[0].strip()
    if not _NOTE.search(source):
        text = _NOTE.sub("", text)
    return _unquote(text.strip(), source.strip())


def _unquote(text: str, source: str) -> str:
    for start, end in (("**", "**"), *_QUOTES.items()):
        inner = text[len(start) : -len(end)]
        wrapped = len(text) > len(start + end) and text.startswith(start) and text.endswith(end)
        if wrapped and start not in inner and end not in inner and not source.startswith((start, *_QUOTES)):
            return inner.strip()
    return text
