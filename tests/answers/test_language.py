"""Which language and variety a text is in."""

from __future__ import annotations

import pytest

from bench.answers.language import has_own_words, is_foreign, is_other_variety, variety
from bench.languages import Language


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("China calls for fair rules.", "en", False),
        ("Guangdong, Fujian and Zhejiang", "en", False),
        ("Zhang Wei, Li Na, Wang Fang", "en", False),
        ("Beijing", "en", False),
        ("", "en", False),
        ("2021-12-20", "zh", False),
        ("WTO", "zh", False),
        ("https://www.un.org/en/about-us", "zh", False),
        ("《不扩散核武器条约》（NPT）", "zh", False),
        ("社区包括Fairdale、Brackenfell、Kraaifontein和Kuils River。", "zh", False),
        ("The State Council", "zh", True),
        ("会议强调，公平、合理、非 discriminatory export control measures is growing in importance as an effective means", "zh", True),
        ("Les autorités compétentes adoptent les mesures suivantes.", "en", True),
        ("Die zuständigen Behörden ergreifen folgende Maßnahmen.", "en", True),
        ("輸出管理は国際的な慣行である。", "zh", True),
        ("수출 통제는 국제 관행이다.", "en", True),
        ("Экспортный контроль является международной практикой.", "zh", True),
        ("Chūkǒu guǎnzhì shì guójì guànlì.", "en", True),
    ],
)  # fmt: skip
def test_is_foreign(text: str, target: Language, expected: bool) -> None:
    assert is_foreign(text, target) is expected


def test_varieties_of_chinese() -> None:
    assert variety(["中国的出口管制", "国家"]) == "simplified"
    assert variety(["中國的出口管制", "國家"]) == "traditional"
    assert is_other_variety("中國的出口管制措施與國際義務", "simplified")
    assert not is_other_variety("中國的出口管制措施與國際義務", "traditional")
    assert is_other_variety("中国的出口管制办法", "traditional")
    assert not is_other_variety("文本", "simplified")  # both varieties write it so
    assert not is_other_variety("著名的乾隆皇帝", "simplified")


def test_own_words() -> None:
    assert has_own_words("the Treaty", "en")
    assert not has_own_words("WTO, https://wto.org, A/RES/76/234", "en")
    assert not has_own_words("WTO 2021", "zh")
