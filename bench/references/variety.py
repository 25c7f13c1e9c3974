"""Which variety of Chinese a set is in, as a language tag of BCP 47: the script, and the region where it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Literal, get_args

from bench.answers.language import variety
from bench.core import ReferenceSet

Tag = Literal[
    "zh-Hans", "zh-Hans-CN", "zh-Hans-SG", "zh-Hans-MY", "zh-Hant", "zh-Hant-TW", "zh-Hant-HK", "zh-Hant-MO"
]
"""What document.yaml may say."""
_SCRIPTS = {"CN": "Hans", "SG": "Hans", "MY": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}
_SAMPLE = 2_000
"""Texts that are enough to tell the script."""


def chinese_tag(reference: ReferenceSet) -> str:
    """The tag of the set's Chinese: what its document.yaml says, else zh-Hans or zh-Hant by its characters."""
    return reference.variety or script_tag(segment.zh for segment in reference.segments)


def is_traditional(reference: ReferenceSet) -> bool:
    return chinese_tag(reference).startswith("zh-Hant")


def script_tag(texts: Iterable[str]) -> str:
    """zh-Hant if most characters that only one variety has are Traditional, else zh-Hans."""
    return "zh-Hant" if variety(islice(texts, _SAMPLE)) == "traditional" else "zh-Hans"


def normal_tag(code: str) -> str:
    """The tag for a language code of a file: zh-Hant-TW for zh_TW and ZH-TW. "" if it names neither a script nor a
    region of Chinese."""
    parts = re.split(r"[-_\s()]+", code.strip())[1:]
    script = next((part.title() for part in parts if part.title() in ("Hans", "Hant")), "")
    region = next((part.upper() for part in parts if part.upper() in _SCRIPTS), "")
    if not script and not region:
        return ""
    script = script or _SCRIPTS[region]
    tag = f"zh-{script}-{region}" if region and _SCRIPTS[region] == script else f"zh-{script}"
    return tag if tag in get_args(Tag) else f"zh-{script}"
