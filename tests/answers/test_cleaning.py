"""What models said around their translations, and what must be left of it."""

from __future__ import annotations

import time

import pytest

from bench.answers import cleaning

ZH = "中国坚决反对滥用出口管制措施。"
EN = "China firmly opposes the abuse of export control measures."


def clean(raw: str, source: str) -> str:
    return cleaning.clean(raw, source, "zh" if source == EN else "en").text


@pytest.mark.parametrize(
    ("raw", "source", "expected"),
    [
        (f"  {EN}\n", ZH, EN),
        (f"Translation: {EN}", ZH, EN),
        (f"Sure! Here is the translation:\n\n{EN}", ZH, EN),
        (f"Here's the English translation of the text:\n{EN}", ZH, EN),
        (f"English: {EN}", ZH, EN),
        (f"译文：{ZH}", EN, ZH),
        (f"以下是翻译结果：\n{ZH}", EN, ZH),
        (f"好的，翻译如下：{ZH}", EN, ZH),
        (f'"{EN}"', ZH, EN),
        (f"“{ZH}”", EN, ZH),
        (f"**{EN}**", ZH, EN),
        (f"<think>\n滥用 is abuse.\n\nSo …\n</think>\n\n{EN}", ZH, EN),
        ("<think>\n\n</think>\n\n" + ZH, EN, ZH),
        ("<think>\nFirst I consider", ZH, ""),
        (f"```\n{EN}\n```", ZH, EN),
        (f"{EN}\n\nNote: the original says 滥用.", ZH, EN),
        (f"{EN} (Note: 滥用 means abuse.)", ZH, EN),
        (f"{ZH}（注：此处指出口管制。）", EN, ZH),
        ("", ZH, ""),
        ("\n\n", ZH, ""),
    ],
)
def test_what_is_around_is_taken_off(raw: str, source: str, expected: str) -> None:
    assert clean(raw, source) == expected


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        (
            '"Export control" is a term.',
            "“出口管制”是一个术语。",
        ),  # two quoted parts are not one wrapping pair
        ('He said "no" and "yes"', "他说“不”和“是”"),
        ('"Made in China"', "“中国制造”"),  # the source is quoted as well
        ("Note: this law enters into force at once.", "注：本法立即生效。"),
        ("China holds: peace comes first.", "中国主张：和平第一。"),
        ("Treaty (NPT)", "条约（NPT）"),
        ("It is sure that peace will come.", "和平必将到来。"),
    ],
)
def test_what_belongs_to_the_text_stays(raw: str, source: str) -> None:
    assert clean(raw, source) == raw


def test_paragraphs_stay_where_the_source_has_them() -> None:
    assert clean("One.\n\nTwo.", "一。\n\n二。") == "One.\n\nTwo."


@pytest.mark.parametrize(
    "raw",
    [
        "(" * 100_000,
        "<think>" * 20_000,
        "<think></think>" * 20_000,
        "</think>" * 20_000,
        "<answer>" * 20_000,
        "<answer></answer>" * 20_000,
        '{"translation": ' * 20_000,
        "```\n" * 50_000,
        "Here is the translation:\n" * 10_000,
        "\\boxed{" * 20_000,
        "<|channel|>analysis<|message|>" * 5_000,
        f"{ZH}\n" * 10_000,
        "> " * 50_000,
        "(注：" * 50_000,
        "I am " * 40_000,
        "translation " * 50_000,
        "Note: " * 50_000,
        '"' * 100_000,
        " " * 100_000,
    ],
)
def test_hostile_output_is_bounded(raw: str) -> None:
    """Not a speed test: a pattern that backtracks over such a text would not end within hours."""
    started = time.monotonic()
    assert len(clean(raw, ZH)) <= len(raw)
    assert time.monotonic() - started < 60
