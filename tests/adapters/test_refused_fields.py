"""Endpoints that refuse a field: messages as providers and servers send them (public reports), through the real
adapter and a server on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bench.adapters.openai import OpenAI
from bench.core import Output, Source
from bench.errors import BenchError
from bench.prompt import Prompt
from tests.helpers.hostile_server import Received, Reply, completion, error_reply, serving

PROMPT = Prompt("plain", "Translate from {source_language} into {target_language}:\n\n{source}")
OPTIONS = {"temperature": 0, "max_tokens": 64, "seed": 12345}
THINKING = "parameter.enable_thinking must be set to false for non-streaming calls"
NO_ZERO = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
NO_MAX_TOKENS = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-recognisable-0123456789abcdef")


def translate(
    script: Callable[[Received], Reply], count: int = 5, **settings: Any
) -> tuple[dict[str, Output], OpenAI, list[Received]]:
    with serving(script) as server:
        options = settings.pop("options", OPTIONS)
        api = OpenAI("tiny", PROMPT, options, server.url, direction="zh-en", timeout=2, retries=1, **settings)
        api.load()
        outputs = dict(api.translate([Source(f"s{n}", f"text {n}") for n in range(count)]))
        return outputs, api, server.received


def refusing(field: str, reply: Reply) -> Callable[[Received], Reply]:
    return lambda request: reply if field in request.body else completion(f"<{request.source}>")


GOOGLE = [{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.'}}]
FASTAPI = {
    "detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]
}


@pytest.mark.parametrize(
    ("field", "reply", "adapted"),
    [
        pytest.param("seed", Reply(422, json.dumps(FASTAPI).encode()), {"seed": ""}, id="FastAPI"),
        pytest.param(
            "seed",
            error_reply(400, "Unrecognized request argument supplied: 'seed'"),
            {"seed": ""},
            id="seed",
        ),
        pytest.param("seed", Reply(400, json.dumps(GOOGLE).encode()), {"seed": ""}, id="Google"),
        pytest.param(
            "max_tokens",
            error_reply(400, NO_MAX_TOKENS, param="max_tokens", code="unsupported_parameter"),
            {"max_tokens": "max_completion_tokens"},
            id="reasoning models",
        ),
    ],
)
def test_a_field_that_changes_no_output_is_adapted_once(
    field: str, reply: Reply, adapted: dict[str, str]
) -> None:
    outputs, api, received = translate(refusing(field, reply), concurrency=1)
    assert [output.text for output in outputs.values()] == [f"<text {n}>" for n in range(5)]
    assert sum(field in request.body for request in received) == 1
    assert api.facts()["adapted_fields"] == adapted
    assert all(request.body.get("max_completion_tokens", 64) == 64 for request in received)


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        pytest.param(
            error_reply(400, NO_ZERO, param="temperature", code="unsupported_value"),
            "leave it out with ~system.adapter.options.temperature",
            id="temperature",
        ),
        pytest.param(
            error_reply(400, THINKING, code="invalid_parameter_error"),
            "set it, as in +system.adapter.options.enable_thinking=false",
            id="thinking",
        ),
        pytest.param(
            Reply(422, b'{"detail": "max_tokens must be less than 32"}'),
            "set system.adapter.options.max_tokens to a value that it takes",
            id="max_tokens",
        ),
    ],
)
def test_what_would_hit_every_segment_stops_at_the_first(reply: Reply, advice: str) -> None:
    received: list[Received] = []

    def script(request: Received) -> Reply:
        received.append(request)
        return reply

    with pytest.raises(BenchError, match="refuses the field") as error:
        translate(script, count=50, concurrency=2)
    assert advice in str(error.value)
    assert len(received) <= 4


def test_a_text_that_speaks_of_seeds_is_no_refused_field() -> None:
    """Of one segment: the others are translated."""
    message = "Invalid input: the text about the export of seed is not allowed here"
    reply = error_reply(400, message, code="moderation")
    outputs, api, _ = translate(lambda r: reply if r.source == "text 1" else completion("ok"))
    assert [bool(outputs[f"s{n}"].error) for n in range(5)] == [False, True, False, False, False]
    assert "adapted_fields" not in api.facts()


def test_a_server_that_refuses_everything_without_a_reason() -> None:
    with pytest.raises(BenchError, match="refused the first 10 requests"):
        translate(lambda _: error_reply(400, "bad request"), count=50, concurrency=2)


def test_answers_without_choices() -> None:
    """Once may be a fault, twice is a content filter; beside an error it is neither."""
    empty = Reply(body=b'{"choices": []}')
    outputs, *_ = translate(lambda request: empty if request.attempt == 1 else completion("ok"), 1)
    assert outputs["s0"].text == "ok"
    outputs, *_ = translate(lambda _: empty, 1)
    assert outputs["s0"].refused
    broken = Reply(body=b'{"choices": [], "error": {"message": "upstream"}}')
    outputs, *_ = translate(lambda _: broken, 1)
    assert "upstream" in outputs["s0"].error
