"""Why an answer ended, as endpoints report it."""

from __future__ import annotations

import re

_COMPLETE = {
    "",
    "stop",
    "eos",
    "eos_token",
    "end",
    "end_turn",
    "stop_sequence",
    "complete",
    "completed",
    "finished",
}
_TRUNCATED = {
    "length", "max_tokens", "max_output_tokens", "max_new_tokens", "max_length", "model_length", "token_limit",
    "model_context_window_exceeded", "context_length_exceeded", "prompt-too-long",
}  # fmt: skip
_REFUSED = {
    "content_filter", "content_filtered", "sensitive", "safety", "refusal", "recitation", "blocklist", "spii",
    "prohibited_content", "guardrail_intervened", "data_inspection_failed", "image_safety", "language",
}  # fmt: skip
FAILED = {
    "network_error", "error", "abort", "aborted", "cancelled", "canceled", "timeout", "server_error",
    "insufficient_system_resource", "model_error", "overloaded",
}  # fmt: skip
"""The server broke off: the request is repeated."""

_MAX_CHARACTERS = 40


def finish_name(reported: object) -> str:
    """A finish reason in lower case and as a name; "" for `stop` and where the endpoint reports none."""
    if not isinstance(reported, str):
        return ""
    name = re.sub(r"[^a-z0-9_-]+", "_", reported.strip().casefold()[:_MAX_CHARACTERS])
    name = name.removeprefix("finish_reason_")
    return "" if name in _COMPLETE else name


def is_truncated(finish: str) -> bool:
    return finish in _TRUNCATED


def is_refused(finish: str) -> bool:
    return finish in _REFUSED


def is_unknown(finish: str) -> bool:
    """Whether a finish reason is none of those that are known by name. Tool calls are no translation, either."""
    return finish not in _COMPLETE | _TRUNCATED | _REFUSED | FAILED
