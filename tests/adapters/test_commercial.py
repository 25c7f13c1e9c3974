"""Commercial services against servers that speak their documented protocols and check their signatures.

The servers (tests/helpers/services.py) share no code with the adapters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.adapters.commercial.alibaba import Alibaba
from bench.adapters.commercial.amazon import Amazon
from bench.adapters.commercial.baidu import Baidu
from bench.adapters.commercial.deepl import DeepL
from bench.adapters.commercial.google import Google, GoogleAdvanced
from bench.adapters.commercial.microsoft import Microsoft
from bench.adapters.commercial.pieces import join, pieces
from bench.adapters.commercial.service import Service
from bench.adapters.commercial.tencent import Tencent
from bench.adapters.commercial.youdao import Youdao
from bench.budget import Budget, CostLimit, Meter
from bench.core import Output, Source
from bench.errors import BenchError
from bench.records import Price
from tests.helpers.services import (
    KEY_ID,
    PROTOCOLS,
    SECRET,
    VARIABLES,
    Answer,
    Call,
    environment,
    serving,
)

KINDS: dict[str, Callable[..., Service]] = {
    "deepl": DeepL,
    "google": Google,
    "google-advanced": lambda **settings: GoogleAdvanced("my-project", **settings),
    "microsoft": Microsoft,
    "amazon": Amazon,
    "alibaba": Alibaba,
    "baidu": Baidu,
    "tencent": Tencent,
    "youdao": Youdao,
}
CODES = {
    "deepl": ("ZH", "EN-US", "ZH-HANS", "ZH", "ZH-HANT"),
    "google": ("zh-CN", "en", "zh-CN", "zh-TW", "zh-TW"),
    "google-advanced": ("zh-CN", "en", "zh-CN", "zh-TW", "zh-TW"),
    "microsoft": ("zh-Hans", "en", "zh-Hans", "zh-Hant", "zh-Hant"),
    "amazon": ("zh", "en", "zh", "zh-TW", "zh-TW"),
    "alibaba": ("zh", "en", "zh", "zh-tw", "zh-tw"),
    "baidu": ("zh", "en", "zh", "cht", "cht"),
    "tencent": ("zh", "en", "zh", "zh-TW", "zh-TW"),
    "youdao": ("zh-CHS", "en", "zh-CHS", "zh-CHT", "zh-CHT"),
}
"""Simplified Chinese as a source; English and Simplified Chinese as targets; Traditional Chinese as both."""
services = pytest.mark.parametrize("service", KINDS)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(*VARIABLES).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


def adapter(service: str, url: str, **settings: Any) -> Service:
    settings = {"direction": "zh-en", "timeout": 5, "retries": 2, "date": "2026-11-30", **settings}
    return KINDS[service](base_url=url, **settings)


def translate(api: Service, texts: list[str]) -> dict[str, Output]:
    api.load()
    return dict(api.translate([Source(text, text) for text in texts]))


@services
def test_texts_are_translated_and_characters_counted(service: str) -> None:
    texts = ["出口管制", "It's “5 < 6 & 7”", "１\t😀 \\ / + ="]
    with serving(service) as server:
        api = adapter(service, server.url)
        outputs = translate(api, texts)
    assert {text: output.text for text, output in outputs.items()} == {text: f"<{text}>" for text in texts}
    assert {output.characters for output in outputs.values()} == {len(text) for text in texts}
    assert {(call.source, call.target) for call in server.calls} == {CODES[service][:2]}
    assert api.facts()["requests"] == 3
    assert SECRET not in json.dumps([api.identity(), api.facts()])
    assert api.identity()["service"] == "unversioned service, 2026-11-30"


@services
def test_languages_have_the_names_of_the_service(service: str) -> None:
    with serving(service) as server:
        for direction, variety in (
            ("en-zh", "simplified"),
            ("zh-en", "traditional"),
            ("en-zh", "traditional"),
        ):
            translate(adapter(service, server.url, direction=direction, variety=variety), [direction])
    _, english, simplified, *traditional = CODES[service]
    assert [call.target for call in server.calls] == [simplified, english, traditional[1]]
    assert server.calls[1].source == traditional[0]


@services
def test_a_wrong_key_ends_the_run_at_once(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server finds it out from the signature."""
    id_variable, variable = VARIABLES[service]
    wrong = "wrong-0123456789abcdef-secret"
    for name in filter(None, (variable, id_variable)):
        monkeypatch.setenv(name, wrong)
        with serving(service) as server:
            api = adapter(service, server.url, concurrency=2)
            with pytest.raises(BenchError) as caught:
                translate(api, [str(number) for number in range(100)])
        assert "does not accept the key: set " in str(caught.value)
        assert variable in str(caught.value)
        assert wrong not in str(caught.value)
        assert server.requests <= 4
        assert not server.calls
        monkeypatch.setenv(name, KEY_ID if name == id_variable else SECRET)


@services
def test_a_missing_key_is_named(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name in VARIABLES[service] if name]
    monkeypatch.delenv(names[-1])
    with pytest.raises(
        BenchError, match=rf"needs a key: set the environment variables? {' and '.join(names)}\.$"
    ):
        adapter(service, "").load()


ENDS = {
    "credit": "has no credit or quota left for this key: top it up",
    "language": "does not translate .* into .*: leave out direction=zh-en",
    "access": "does not allow this key to translate: activate the service",
}


@pytest.mark.parametrize(
    ("service", "kind"), [(name, kind) for name in KINDS for kind in ENDS if kind in PROTOCOLS[name].errors]
)
def test_errors_of_every_request_end_the_run(service: str, kind: str) -> None:
    error = PROTOCOLS[service].errors[kind]
    with serving(service, lambda call, attempt: error) as server:
        api = adapter(service, server.url, concurrency=2)
        with pytest.raises(BenchError, match=ENDS[kind]) as caught:
            translate(api, [str(number) for number in range(100)])
    assert server.requests <= 4
    assert SECRET not in str(caught.value)


@services
def test_other_errors_concern_their_own_text(service: str) -> None:
    """A limit that passes is waited for. A text that the service cannot read has an error, the others do not."""
    errors = PROTOCOLS[service].errors

    def script(call: Call, attempt: int) -> str | Answer:
        if call.text == "bad":
            return errors["text"]
        if call.text == "broken":
            return Answer(body=b"<html>")
        return errors["later"] if attempt == 1 and call.text == "late" else call.text

    with serving(service, script) as server:
        outputs = translate(adapter(service, server.url, retries=1), ["good", "late", "bad", "broken"])
    assert [outputs[text].text for text in ("good", "late")] == ["good", "late"]
    assert outputs["bad"].error
    assert outputs["bad"].characters == 0
    assert re.search("no answer: .*html", outputs["broken"].error)
    assert not outputs["good"].error


@services
def test_a_text_that_is_too_long_is_sent_in_parts(service: str) -> None:
    """Each is within the service's own limit; together they are the text, in order."""
    protocol = PROTOCOLS[service]
    sentences = [f"第{number}条的规定适用于出口管制法所称的管制物项。" for number in range(3_000)]
    text = "".join(sentences[:1500]) + "\n\n" + "".join(sentences[1500:])
    with serving(service, lambda call, attempt: call.text) as server:
        outputs = translate(adapter(service, server.url, retries=0), [text])
    assert not outputs[text].error
    assert outputs[text].text.replace(" ", "").replace("\n", "") == text.replace("\n", "")
    assert outputs[text].characters == sum(len(call.text) for call in server.calls)
    assert max(protocol.size(call.text) for call in server.calls) <= protocol.limit
    assert len(server.calls) > 1
    assert all(call.text.endswith("。") for call in server.calls)


def test_parts_of_a_text() -> None:
    text = "First one. Second one, which is longer, has clauses.\n\nThird.  Fourthwithoutanyspace!"
    for most in range(1, 90):
        parts = pieces(text, "en", most, len)
        assert max(len(part.text) for part in parts) <= most
        assert "".join(part.before + part.text for part in parts) == text, most
    assert [part.text for part in pieces(text, "en", 45, len)] == [
        "First one.",
        "Second one, which is longer, has clauses.",
        "Third.  Fourthwithoutanyspace!",
    ]
    parts = pieces(text, "en", 45, len)
    assert join(["A.", "B.", "C."], parts, "en") == "A. B.\n\nC."
    assert join(["甲。", "乙。", "丙。"], parts, "zh") == "甲。乙。\n\n丙。"
    assert pieces(" \n", "en", 5, len) == []
    assert len(pieces("漢" * 1_000_000, "zh", 6_000, lambda text: len(text.encode()))) == 500


@pytest.mark.parametrize(
    ("service", "field", "value"),
    [
        ("deepl", "glossary_id", "g1"),
        (
            "google-advanced",
            "glossaryConfig",
            {"glossary": "projects/my-project/locations/global/glossaries/g1"},
        ),
        ("amazon", "TerminologyNames", ["g1"]),
        ("youdao", "vocabId", "g1"),
    ],
)
def test_glossaries_that_exist_at_the_service(service: str, field: str, value: object) -> None:
    with serving(service) as server:
        api = adapter(service, server.url, glossary={"zh-en": "g1"})
        outputs = translate(api, ["出口管制"])
        other = adapter(service, server.url, glossary={"en-zh": "g1"})
        translate(other, ["出口"])
    assert server.calls[0].fields[field] == value
    assert field not in server.calls[1].fields
    assert (api.identity()["glossary"], "glossary" in other.identity()) == ("g1", False)
    assert outputs["出口管制"].text == f"<出口管制>{' (glossary)' * (service == 'google-advanced')}"
    with pytest.raises(BenchError, match="baidu takes no glossary: leave system"):
        adapter("baidu", "", glossary={"zh-en": "g1"})


@services
def test_options_that_are_none_of_the_service_are_refused(service: str) -> None:
    """Among them are the fields that the adapter sets itself; some services ignore what they do not know."""
    with serving(service) as server:
        api = adapter(service, server.url)
        translate(api, ["出口"])
        own = server.calls[0].fields.keys() - api.fields
        for name in (*own, "formalty", "x" * 1000):
            with pytest.raises(BenchError, match=rf"options\.{name[:80]} is no option of \w+: (use|leave)"):
                adapter(service, server.url, options={name: "x"})


@pytest.mark.parametrize(
    ("service", "name", "value", "sent"),
    [
        ("amazon", "Settings", {"Formality": "FORMAL"}, {"Formality": "FORMAL"}),
        ("microsoft", "includeAlignment", True, "true"),
        ("baidu", "needIntervene", 1, "1"),
        ("tencent", "TermRepoIDList", ["r1"], ["r1"]),
        ("youdao", "domain", "game", "game"),
    ],
)
def test_options_are_sent_in_the_form_of_the_service(service: str, name: str, value: Any, sent: Any) -> None:
    with serving(service) as server:
        translate(adapter(service, server.url, options={name: value}), ["出口"])
    assert server.calls[0].fields[name] == sent


def test_terms_are_marked_for_the_dynamic_dictionary() -> None:
    """Every form once, the longest first, and nothing within a word; the marks are billed."""
    terms = (("export", "出口"), ("export control", "出口管制"), ('"so"', "如此"))
    with serving("microsoft", lambda call, attempt: "译文") as server:
        api = adapter("microsoft", server.url, direction="en-zh", terms="official")
        api.load()
        source = Source("1", 'No export control, "so" to export. Exporters export.', terms=terms)
        ((_, output),) = api.translate([source])
        plain = adapter("microsoft", server.url, direction="en-zh")
    mark = '<mstrans:dictionary translation="{}">{}</mstrans:dictionary>'.format
    assert server.calls[0].text == (
        f'No {mark("出口管制", "export control")}, "so" to {mark("出口", "export")}. '
        f"Exporters {mark('出口', 'export')}."
    )
    assert output.text == "译文"
    assert output.characters == len(server.calls[0].text) == api.usage([source]).characters
    assert api.context.glossary == "official"
    assert plain.context.glossary == "none"  # so it gets no terms
    assert (api.identity()["terms"], "terms" in plain.identity()) == ("official", False)


def test_what_a_service_says_of_its_model_is_recorded() -> None:
    with serving("deepl") as server:
        api = adapter("deepl", server.url, options={"model_type": "quality_optimized"})
        translate(api, ["出口"])
    assert api.facts()["models"] == ["quality_optimized"]
    assert api.identity()["options"] == {"model_type": "quality_optimized"}


def test_a_free_key_of_deepl_has_its_own_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPL_AUTH_KEY", "0123:fx")
    assert adapter("deepl", "").endpoint.base_url == "https://api-free.deepl.com"
    assert "base_url" not in adapter("deepl", "").identity()


def test_the_password_file_of_the_user_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests would send what ~/.netrc says in place of the key."""
    (tmp_path / ".netrc").write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving("deepl") as server:
        assert translate(adapter("deepl", server.url), ["出口"])["出口"].text == "<出口>"


def test_redirects_are_not_followed() -> None:
    elsewhere = Answer(302, b"", {"Location": f"https://elsewhere.example/?{SECRET}"})
    with (
        serving("deepl", lambda call, attempt: elsewhere) as server,
        pytest.raises(BenchError, match=r"redirects to https://elsewhere\.example/\?\[key\]"),
    ):
        translate(adapter("deepl", server.url), ["出口"])
    assert server.requests == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"translations": [{"text": 3}]}', b"[" * 100_000])
@services
def test_nonsense_is_an_error_of_its_text(service: str, body: bytes) -> None:
    with serving(service, lambda call, attempt: Answer(body=body)) as server:
        output = translate(adapter(service, server.url, retries=0), ["出口"])["出口"]
    assert output.error.startswith("no answer: ")
    assert output.text == ""


@pytest.mark.parametrize("status", [404, 413, 500])
def test_statuses_without_words(status: int) -> None:
    with serving("microsoft", lambda call, attempt: Answer(status, b"")) as server:
        api = adapter("microsoft", server.url, retries=0)
        if status == 404:
            with pytest.raises(BenchError, match="has nothing at this address: correct"):
                translate(api, ["出口"])
        else:
            assert f"{status}" in translate(api, ["出口"])["出口"].error


def test_the_rate_of_requests_is_limited() -> None:
    """Counted on the monotonic clock that the endpoint itself uses: never more than the rate allows."""
    times: list[float] = []

    def script(call: Call, attempt: int) -> str:
        import time

        times.append(time.monotonic())
        return call.text

    with serving("baidu", script) as server:
        translate(adapter("baidu", server.url, per_second=20, concurrency=8), [str(n) for n in range(7)])
    assert max(times) - min(times) >= 0.2  # six intervals of 0.05 s; the first may be late


def test_what_was_paid_for_a_part_of_a_text_counts() -> None:
    """A text of three requests, of which the limit allows two."""
    with serving("tencent") as server:
        api = adapter("tencent", server.url, concurrency=1)
        api.endpoint.meter = Meter(Budget(4_500, 0), Price(characters=1e6))
        api.load()
        outputs = api.translate([Source("long", "出口管制。" * 1_000)])
        assert next(outputs) == (
            "long",
            Output("", error="max_cost was reached within the text", characters=4_000),
        )
        with pytest.raises(CostLimit):
            next(outputs)
    assert sum(len(call.text) for call in server.calls) == 4_000
