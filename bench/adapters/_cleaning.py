"""What a chat model says around a translation is taken off; the raw text stays in the run beside the cleaned one."""

from __future__ import annotations

import re

VERSION = 2  # part of a run's identity: count up when the output of `clean` changes

MOST_CHARACTERS = 20_000  # model output is untrusted: nothing below runs on more than this

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
_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>\s*|$)", re.DOTALL)  # without its end: cut off while thinking
_QUOTES = {'"': '"', "“": "”", "「": "」", "'": "'", "‘": "’", "`": "`"}


def clean(raw: str, source: str) -> str:
    """The translation inside `raw`: no thinking aloud, no preamble, no wrapping quotes, no trailing note, first paragraph only.

    Nothing is taken off that `source` has too: a source that opens with "Note:" keeps it.
    """
    text = raw[:MOST_CHARACTERS].strip()
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
    for mark, end in (("**", "**"), *_QUOTES.items()):
        inner = text[len(mark) : -len(end)]
        wrapped = len(text) > len(mark + end) and text.startswith(mark) and text.endswith(end)
        if wrapped and mark not in inner and end not in inner and not source.startswith((mark, *_QUOTES)):
            return inner.strip()
    return text
