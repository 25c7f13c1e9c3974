"""One command, one board: commercial services, endpoints with the quirks of 2025 and 2026, and local models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers import tiny
from tests.helpers.command import bench
from tests.helpers.hostile_server import Received, Reply, completion_body, error_reply
from tests.helpers.hostile_server import serving as serving_endpoint
from tests.helpers.services import environment, serving

ZH = [
    "大家早上好。",
    "管制物项清单自公布之日起施行。",
    "谢谢各位。",
    "国家实行统一的出口管制制度。" * 60,
]
EN = [
    "Good morning, everyone.",
    "The list of controlled items takes effect on the day of its publication.",
    "Thank you all.",
    "The state has one system of export control. " * 60,
]


def body(text: str = "", **changes: object) -> Reply:
    """An answer that does not say how many tokens it took."""
    return Reply(body=json.dumps({**completion_body(text), "usage": None, **changes}).encode())


def thanks(request: Received) -> Reply:
    return body(f"Thank you, number {request.number}.")


def message(finish: str = "stop", **fields: object) -> Reply:
    return body(choices=[{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **fields}}])


def refuses(
    field: str, status: int, words: str, unless: Callable[[Received], bool]
) -> Callable[[Received], Reply]:
    return lambda request: thanks(request) if unless(request) else error_reply(status, words, param=field)


QUIRKS: dict[str, Callable[[Received], Reply]] = {
    "thinking": refuses(
        "",
        400,
        "parameter.enable_thinking must be set to false for non-streaming calls",
        lambda request: request.body.get("enable_thinking") is False,
    ),
    "temperature": refuses(
        "temperature",
        400,
        "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported.",
        lambda request: "temperature" not in request.body,
    ),
    "seed": refuses(
        "seed", 422, "seed: Extra inputs are not permitted", lambda request: "seed" not in request.body
    ),
    "tokens": refuses(
        "max_tokens",
        400,
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        lambda request: "max_tokens" not in request.body,
    ),
    "parts": lambda request: message(
        content=[
            {"type": "thinking", "thinking": "hm"},
            {"type": "text", "text": f"Thank you, number {request.number}."},
        ]
    ),
    "unfinished": lambda request: message("length", reasoning_content="Let me think about"),
    "choiceless": lambda request: body(choices=[]),
    "control-characters": lambda request: Reply(
        body=thanks(request).body.replace(b", number", b",\t\nnumber")
    ),
    "cut-prompt": lambda request: body(
        f"Thank you, number {request.number}.", usage={"prompt_tokens": 64, "completion_tokens": 5}
    ),
}
ENDS = {
    "thinking": r"set it, as in \+system.adapter.options.enable_thinking=false",
    "temperature": r"set system.adapter.options.temperature to a value that it takes, or leave it out with ~",
}
"""What cannot be adapted: what the board says instead of a row."""


def write_systems(folder: Path, endpoint: str, deepl: str, tencent: str) -> None:
    """A yaml for each system, as a user would write it."""
    systems = folder / "mine" / "system"
    systems.mkdir(parents=True)
    for name in QUIRKS:
        (systems / f"{name}.yaml").write_text(
            f"defaults: [openai, _self_]\nname: {name}\nadapter:\n  model: {name}\n  retries: 1\n"
            f"  base_url: {endpoint}/{name}/v1\n"
        )
    for name, url in (("deepl", deepl), ("tencent", tencent)):
        (systems / f"my-{name}.yaml").write_text(
            f"defaults: [{name}, _self_]\nname: my-{name}\nprice: {{characters: 20}}\nadapter:\n  base_url: {url}\n"
        )
    for name in ("small", "smaller"):
        (systems / f"{name}.yaml").write_text(
            f"defaults: [llm, _self_]\nname: {name}\nadapter:\n  checkpoint: {folder / name}\n  max_new_tokens: 8\n"
        )


@pytest.mark.slow
def test_one_board_of_every_kind_of_engine(tmp_path: Path) -> None:
    tiny.qwen(tmp_path / "small")
    tiny.qwen(tmp_path / "smaller", hidden_size=32)
    (tmp_path / "news.zh").write_text("".join(f"{text}\n" for text in ZH))
    (tmp_path / "news.en").write_text("".join(f"{text}\n" for text in EN))
    english = dict(zip(ZH, EN, strict=True))

    def quirky(request: Received) -> Reply:
        return QUIRKS[request.path.split("/")[1]](request)

    with (
        serving_endpoint(quirky) as endpoint,
        serving("deepl", lambda call, attempt: english[call.text].replace("The", "This")) as deepl,
        serving("tencent", lambda call, attempt: english[call.text].replace("The", "A")) as tencent,
    ):
        write_systems(tmp_path, endpoint.url.removesuffix("/v1"), deepl.url, tencent.url)
        names = ["my-deepl", "my-tencent", *QUIRKS, "small", "smaller", "copy"]
        done = bench(
            tmp_path,
            "run",
            f"system={','.join(names)}",
            "--config-dir=mine",
            "reference=news",
            "direction=zh-en",
            "metric=[chrf]",
            "compare.test=null",
            status=2,
            OPENAI_API_KEY="sk-of-the-test-Kq7vZ",
            **environment("deepl", "tencent"),
        )
    (tmp_path / "stdout").write_text(done.stdout)
    rows = {
        record["system"]["name"]: record
        for path in tmp_path.glob("runs/news/zh-en/*/run.json")
        for record in [json.loads(path.read_text())]
    }
    assert rows.keys() == set(names) - ENDS.keys()
    for name, sentence in ENDS.items():
        assert name in done.stdout.partition("Missing")[2]
        assert sum(request.path.startswith(f"/{name}/") for request in endpoint.received) <= 8
        (failure,) = tmp_path.glob(f"runs/news/zh-en/{name}-*/failure.json")
        assert re.search(sentence, failure.read_text())
    assert "Traceback" not in done.stderr
    flags = {name: record["flags"] for name, record in rows.items()}
    assert flags["my-deepl"] == flags["my-tencent"] == {}
    assert flags["unfinished"] == {"empty": 4, "truncated": 4}
    assert flags["choiceless"] == {"empty": 4, "refused": 4}
    assert flags["cut-prompt"]["prompt-cut"] == 1
    assert rows["seed"]["work"]["adapted_fields"] == {"seed": ""}
    assert rows["tokens"]["work"]["adapted_fields"] == {"max_tokens": "max_completion_tokens"}
    for name in ("seed", "tokens", "parts", "control-characters"):
        assert "error" not in flags[name]
        (hypotheses,) = tmp_path.glob(f"runs/news/zh-en/{name}-*/hypotheses.jsonl")
        texts = {json.loads(line)["text"] for line in hypotheses.read_text().splitlines()}
        assert len(texts) == 4
        assert all(text.startswith("Thank you,") for text in texts), name
    work = rows["my-deepl"]["work"]
    assert work["characters"] == sum(map(len, ZH))
    assert work["cost_usd"] == pytest.approx(20 * sum(map(len, ZH)) / 1e6)
    assert "my-deepl" in done.stdout.splitlines()[1], "the board's first sentence names the best system"
