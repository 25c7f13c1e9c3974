"""Endpoints that refuse a field of a request: which one it is, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from bench.errors import BenchError

STATUSES = (400, 422)

_COMPLAINT = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|invalid|extra input|extra field|not permitted|"
    r"not allowed|must be|should be|only support|deprecated|not available|does not accept|not a valid|"
    r"不支持|无效|未知|必须",
    re.IGNORECASE,
)
_THINKING = "enable_thinking"
"""DashScope refuses every request to a reasoning model without it, unless the answer is streamed."""


def refused_field(message: str, parameter: object, sent: Collection[str]) -> str:
    """The name of the field that a server refuses; "" if it names none of those that were sent.

    `parameter`: what the error itself says ("param" in OpenAI's errors). A name in the message counts only in a
    sentence that complains, and not as a plain word, since a message may quote the text to translate.
    """
    if isinstance(parameter, str) and (name := parameter.rpartition(".")[2]) in sent:
        return name
    if not _COMPLAINT.search(message):
        return ""
    for name in sorted({*sent, _THINKING}, key=len, reverse=True):
        word = re.escape(name)
        mention = rf"(?<!\w){word}(?!\w)"
        if "_" not in name:
            mention = rf"""[`'"“‘.\[]{word}[`'"”’\]]|^\W*{word} (?:is|does|must)"""
        if re.search(mention, message):
            return name
    return ""


def adapted(fields: Mapping[str, Any], adaptations: Mapping[str, str]) -> dict[str, Any]:
    """The fields with these changes: name -> another name, or "" to leave it out."""
    renamed = {adaptations.get(name, name): value for name, value in fields.items()}
    return {name: value for name, value in renamed.items() if name}


def adaptation(name: str, message: str) -> str | None:
    """What can be done about a refused field without another output: its other name, or "" to leave it out.

    A seed changes nothing of a greedy answer. None if the user has to decide.
    """
    if name == "seed":
        return ""
    if name == "max_tokens" and "max_completion_tokens" in message:
        return "max_completion_tokens"
    return None


def refusal(name: str, sent: Collection[str], problem: str) -> BenchError:
    """The sentence for the user. `problem`: who refuses it, and the server's words."""
    option = f"system.adapter.options.{name}"
    if name == _THINKING and name not in sent:
        advice = f"set it, as in +{option}=false"
    elif name == "stop":
        advice = "choose a prompt without stop"
    elif name == "chat_template_kwargs":
        advice = "choose a prompt without chat_options"
    else:
        advice = f"set {option} to a value that it takes, or leave it out with ~{option}"
    return BenchError(f"{problem}: {advice}.")
