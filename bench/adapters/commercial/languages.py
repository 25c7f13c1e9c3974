"""The names of languages at each service, as its documentation lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bench.languages import Direction, Language, sides

Variety = Literal["simplified", "traditional"]

_CODES: Mapping[str, tuple[str, str, str]] = {
    "alibaba": ("en", "zh", "zh-tw"),
    "amazon": ("en", "zh", "zh-TW"),
    "baidu": ("en", "zh", "cht"),
    "deepl": ("EN-US", "ZH-HANS", "ZH-HANT"),
    "google": ("en", "zh-CN", "zh-TW"),
    "microsoft": ("en", "zh-Hans", "zh-Hant"),
    "tencent": ("en", "zh", "zh-TW"),
    "youdao": ("en", "zh-CHS", "zh-CHT"),
}
"""Service -> English, Simplified Chinese, Traditional Chinese."""
_SOURCE_CODES: Mapping[str, tuple[str, str, str]] = {"deepl": ("EN", "ZH", "ZH")}
"""Of services whose source languages have other names: DeepL's have no varieties."""


def codes(service: str, direction: Direction, variety: Variety) -> tuple[str, str]:
    """The source and the target language, as a request names them. `variety`: of the Chinese text."""
    source, target = sides(direction)
    from_codes = _SOURCE_CODES.get(service, _CODES[service])
    return from_codes[_index(source, variety)], _CODES[service][_index(target, variety)]


def _index(language: Language, variety: Variety) -> int:
    return 0 if language == "en" else 1 if variety == "simplified" else 2
