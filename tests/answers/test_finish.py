"""Finish reasons by name."""

from __future__ import annotations

import pytest

from bench.answers.finish import FAILED, finish_name, is_refused, is_truncated, is_unknown


@pytest.mark.parametrize(
    ("reported", "name"),
    [("stop", ""), ("STOP", ""), (None, ""), (7, ""), ("FINISH_REASON_STOP", ""), ("MAX_TOKENS", "max_tokens"),
     ("content filter\x1b[31m", "content_filter_31m"), ("x" * 1000, "x" * 40)],
)  # fmt: skip
def test_names(reported: object, name: str) -> None:
    assert finish_name(reported) == name


def test_kinds_do_not_overlap() -> None:
    for name in ("length", "model_context_window_exceeded", "max_tokens"):
        assert is_truncated(name)
        assert not is_refused(name)
        assert not is_unknown(name)
    for name in ("content_filter", "sensitive", "safety", "refusal"):
        assert is_refused(name)
        assert not is_truncated(name)
        assert not is_unknown(name)
    for name in ("tool_calls", "banana"):
        assert is_unknown(name)
    assert not is_unknown("")
    assert "network_error" in FAILED
