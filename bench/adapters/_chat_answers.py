"""What is in the JSON of an answer in OpenAI's form. A field of another type than it should have counts as missing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bench.bodies import BadBody, decoded

_MAX_TOKENS = 100_000_000
"""Of one request: more than any context holds."""

REASONING = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
"""Fields of a message that hold what the model thought: DeepSeek's and vLLM's, OpenRouter's, Ollama's."""


def error_fields(body: bytes) -> Mapping[str, Any]:
    """What the body of a refusal says about it, if it is JSON of a usual form."""
    error: Any = None
    with suppress(ValueError, RecursionError, BadBody):
        answer = decoded(body)
        if isinstance(answer, list) and len(answer) == 1:  # Google's
            (answer,) = answer
        error = answer.get("error", answer) if isinstance(answer, dict) else answer
    return error if isinstance(error, dict) else {"message": error}


def is_refusal(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    parts = (
        [part.get("refusal") for part in content if isinstance(part, dict)]
        if isinstance(content, list)
        else []
    )
    return any(isinstance(refusal, str) and refusal for refusal in (message.get("refusal"), *parts))


def message_text(content: Any) -> str:
    """The text of a message, which may come in parts, of which some hold reasoning or a refusal. Raises TypeError if
    it has another type, or only parts of other types."""
    if isinstance(content, list):
        texts = [part for part in content if not (isinstance(part, dict) and part.get("type") in REASONING)]
        parts = [part.get("text") if isinstance(part, dict) else part for part in texts]
        if (
            texts
            and not any(isinstance(part, str) for part in parts)
            and not is_refusal({"content": content})
        ):
            raise TypeError
        return "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str | None):
        raise TypeError
    return content or ""


def token_count(usage: Any, field: str) -> int:
    """A number of tokens; 0 if the server does not state a possible one."""
    number = usage.get(field) if isinstance(usage, dict) else 0
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _MAX_TOKENS:
        return number
    return 0
