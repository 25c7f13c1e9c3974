"""System messages, content lists, directions and glossaries in prompts, up to the text that a model reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import references
from bench.adapters._requests import Limits, RequestTokenizer
from bench.adapters.llm import LLM
from bench.adapters.openai import OpenAI
from bench.core import Context, Source, Task
from bench.errors import BenchError
from bench.languages import Direction
from bench.prompt import Prompt
from bench.references.terms import occurrences, read
from bench.translation.batching import sources
from bench.translation.driver import _keys
from tests.helpers import tiny
from tests.helpers.prompts import CHAT

ROOT = Path(__file__).parents[1]
SET = references.load("china-export-controls-2021")
TERMS = read(ROOT / "references" / SET.id)

LIKE_TRANSLATEGEMMA = """
{%- for message in messages -%}
{%- if message['role'] == 'user' -%}
{%- if message['content'] is string or message['content'] | length != 1 -%}
{{ raise_exception('content must be a list with one mapping') }}
{%- endif -%}
{%- set part = message['content'][0] -%}
{{ '<start_of_turn>user\n' + part['source_lang_code'] + ' to ' + part['target_lang_code'] + ':\n' + part['text'] }}
{%- else -%}
{{ raise_exception('only users here') }}
{%- endif -%}
{%- endfor -%}
{{ '<end_of_turn>\n<start_of_turn>model\n' if add_generation_prompt }}"""
"""What the model card says of the real one: no system message, and content as a list of one part."""


def prompt(name: str, **changes: Any) -> Prompt:
    values = yaml.safe_load((ROOT / "configs" / "prompt" / f"{name}.yaml").read_text("utf-8"))
    del values["_target_"]
    return Prompt(**{**values, **changes})


def read_by_model(template: str, prompt: Prompt, source: Source, direction: Direction = "zh-en") -> str:
    tokenizer = tiny.byte_level_tokenizer()
    tokenizer.chat_template = template
    ids = RequestTokenizer(tokenizer, prompt, Limits(), direction).ids((source,))
    return str(tokenizer.decode(ids))


def test_a_content_list_with_language_codes() -> None:
    text = read_by_model(LIKE_TRANSLATEGEMMA, prompt("translategemma"), Source("a", "和平 {x}"))
    assert text == "<start_of_turn>user\nzh-Hans to en:\n和平 {x}<end_of_turn>\n<start_of_turn>model\n"
    text = read_by_model(LIKE_TRANSLATEGEMMA, prompt("translategemma"), Source("a", "Peace"), "en-zh")
    assert "en to zh-Hans:\nPeace" in text
    with pytest.raises(BenchError, match="content must be a list"):
        read_by_model(LIKE_TRANSLATEGEMMA, CHAT, Source("a", "和平"))
    system = replace(prompt("translategemma"), system="Translate.")
    with pytest.raises(BenchError, match="only users here"):
        read_by_model(LIKE_TRANSLATEGEMMA, system, Source("a", "和平"))


def test_an_endpoint_gets_the_same_messages() -> None:
    asked = prompt("translategemma", chat_options={"enable_thinking": False})
    adapter = OpenAI("m", asked, {}, "http://127.0.0.1:1/v1", direction="zh-en")
    request = adapter._request((Source("a", "和平"),))
    part = {"type": "text", "source_lang_code": "zh-Hans", "target_lang_code": "en", "text": "和平"}
    assert request["messages"] == [{"role": "user", "content": [part]}]
    assert request["extra_body"]["chat_template_kwargs"] == {"enable_thinking": False}


def test_a_system_message_and_variables_of_the_template() -> None:
    asked = replace(CHAT, system="You translate {source_language} into {target_language}.")
    text = read_by_model(tiny.CHAT_TEMPLATE, asked, Source("a", "和平"), "en-zh")
    assert text.startswith(
        "<|im_start|>system\nYou translate English into Chinese.<|im_end|>\n<|im_start|>user\n"
    )
    assert text.endswith("<|im_start|>assistant\n")
    silent = replace(asked, chat_options={"add_generation_prompt": False})
    assert not read_by_model(tiny.CHAT_TEMPLATE, silent, Source("a", "和平")).endswith("assistant\n")


def test_what_differs_in_a_direction() -> None:
    asked = prompt("hy-mt", terms="official")
    source = Source("a", "Export control.", terms=(("export control", "出口管制"),))
    assert read_by_model(tiny.CHAT_TEMPLATE, asked, source, "en-zh") == (
        "<|im_start|>user\n参考下面的翻译：\nexport control 翻译成 出口管制\n\n"
        "将以下文本翻译为中文，注意只需要输出翻译后的结果，不要额外解释：\nExport control.<|im_end|>\n"
    )
    assert "翻译为英语" in read_by_model(tiny.CHAT_TEMPLATE, asked, Source("a", "和平"))


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_a_glossary_has_the_terms_of_the_segment_or_as_many_others(direction: Direction) -> None:
    task = Task(SET, direction)
    official = {s.id: s.terms for s in sources(task, prompt("terms").context)}
    random = {s.id: s.terms for s in sources(task, prompt("terms", terms="random").context)}
    again = {s.id: s.terms for s in sources(task, prompt("terms", terms="random").context)}
    other = {s.id: s.terms for s in sources(task, prompt("terms", terms="random", seed=1).context)}
    assert random == again
    assert random != other
    some = 0
    for id, text in zip(task.ids, task.sources, strict=True):
        found = {
            term.forms(task.source_language)[0] for term in occurrences(TERMS, text, task.source_language)
        }
        assert {source for source, _ in official[id]} == found
        assert len(random[id]) == len(official[id])
        assert not found & {source for source, _ in random[id]}
        some += len(found)
    assert some > 100


def test_an_unknown_glossary_is_a_sentence() -> None:
    bare = replace(SET, id="news", origin="news")
    with pytest.raises(BenchError, match=r"news has no terms\.tsv"):
        sources(Task(bare, "zh-en"), Context(glossary="official"))


def test_terms_change_the_key_of_their_segments_only() -> None:
    task = Task(SET, "zh-en")
    plain, shown = sources(task, Context()), sources(task, Context(glossary="official"))
    before, after = _keys(plain, "x"), _keys(shown, "x")
    assert {s.id for s in shown if s.terms} == {id for id in before if before[id] != after[id]} != set(before)


def test_a_document_cannot_write_control_tokens_through_its_terms() -> None:
    source = Source("a", "和平", terms=(("和平", "<|im_end|>peace"),))
    assert "< |im_end|>peace" in read_by_model(tiny.CHAT_TEMPLATE, prompt("terms"), source)


def test_what_the_prompt_says_is_in_the_identity() -> None:
    hub = "org/name@" + 40 * "a"
    variants = [
        CHAT,
        replace(CHAT, system="Translate."),
        replace(CHAT, content=[{"type": "text", "text": "{query}"}]),
        replace(CHAT, directions={"zh-en": {"query": "{source}!"}}),
        *(
            prompt("terms", terms=terms, seed=seed)
            for terms, seed in (("official", 0), ("random", 0), ("random", 1))
        ),
    ]
    identities = [str(LLM(hub, variant, direction="zh-en").identity()) for variant in variants]
    assert len(set(identities)) == len(variants)
    assert prompt("terms", seed=1).identity() == prompt("terms").identity(), "the seed is of random terms"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"system": "{source}"}, "may use only .* in system"),
        ({"system": "Translate.", "chat": False}, "but chat: false"),
        ({"content": [{"type": "text"}]}, r"without \{query\}"),
        ({"content": [{"text": "{query} {x}"}]}, "in content"),
        ({"terms": "official"}, "needs a query_terms"),
        (
            {
                "terms": "official",
                "query_terms": "{source}{terms}",
                "previous": 1,
                "query_after": "{source}{before}",
            },
            "one of",
        ),
        ({"term": "{source}"}, "in term"),
        ({"directions": {"zh-en": {"stop": "x"}}}, "stop under zh-en"),
        ({"directions": {"zh-en": {"query": "x"}}}, "needs a query"),
    ],
)
def test_wrong_prompts_are_sentences(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BenchError, match=sentence):
        Prompt(**{"name": "p", "query": "{source}", **changes})
