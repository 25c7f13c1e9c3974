"""The failure ledger on real outputs of small models, both directions."""

from __future__ import annotations

import pytest

from bench.core import Output
from bench.languages import Direction, script_share
from bench.translation.flags import flags

ZH = "当今世界，各国日益成为命运共同体。"
EN = "In today's world, countries are increasingly part of a community of shared future."


@pytest.mark.parametrize(
    ("text", "direction", "expected"),
    [
        (EN, "zh-en", ()),
        (ZH, "en-zh", ()),
        ("", "zh-en", ("empty",)),
        (" \n", "en-zh", ("empty",)),
        (ZH, "zh-en", ("copied",)),
        (EN.upper(), "en-zh", ("copied",)),
        ("当今世界各国越来越成为一个命运共同体。", "zh-en", ("wrong-language",)),
        ("Today countries share one future.", "en-zh", ("wrong-language",)),
        ("Today, countries are becoming the global命运共同体.", "zh-en", ()),
        ("《不扩散核武器条约》（NPT）、BWC、CWC 都有规定。", "en-zh", ()),
        ("I'm sorry, but I can't help with that.", "zh-en", ("refused",)),
        ("抱歉，我无法翻译这段内容。", "en-zh", ("refused",)),
        ("The maceing of" + " the maceing of" * 40, "zh-en", ("repeating",)),
        ("中国坚持" + "以国家利益为目的，" * 20, "en-zh", ("repeating",)),
        ("no, no, no, no", "zh-en", ("too-short",)),
        ("2021-12", "zh-en", ("too-short",)),
    ],
)
def test_flags(text: str, direction: Direction, expected: tuple[str, ...]) -> None:
    source = ZH if direction == "zh-en" else EN
    assert flags(Output(text), source, direction) == expected


def test_flags_add_up_and_errors_stand_alone() -> None:
    loop = Output("安全和发展，" * 30, truncated=True)
    assert flags(loop, ZH, "zh-en") == ("wrong-language", "truncated", "repeating")
    assert flags(Output("", error="out of memory"), ZH, "zh-en") == ("error",)


def test_what_only_the_engine_knows() -> None:
    assert flags(Output("", refused=True), ZH, "zh-en") == ("empty", "refused")  # a provider's content filter
    assert flags(Output("", truncated=True), ZH, "zh-en") == (
        "empty",
        "truncated",
    )  # longer than the model's context


def test_a_number_is_not_a_copy() -> None:
    """What is right in both languages is no failure."""
    assert flags(Output("1978"), "1978", "zh-en") == ()


def test_a_source_that_repeats_may_be_repeated() -> None:
    source = "统筹发展和安全，" * 5
    assert "repeating" not in flags(Output("coordinating development and security, " * 5), source, "zh-en")


def test_a_very_long_output_ends() -> None:
    assert flags(Output("x" * 100_000), ZH, "zh-en") == ("repeating",)


def test_script_share() -> None:
    assert script_share("中国 NPT", "zh") == pytest.approx(2 / 3)
    assert script_share("2021-12", "en") == 1.0
