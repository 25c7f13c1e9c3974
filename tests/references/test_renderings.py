"""A form counts as rendered where a reader would say so; examples are outputs of published systems, read by eye."""

from __future__ import annotations

import pytest

from bench.languages import Language
from bench.references.renderings import reader
from bench.references.terms import Term, read
from tests.helpers.sets import WHITE_PAPER

TERMS = read(WHITE_PAPER)


def term(zh: str, en: str) -> Term:
    return Term(tuple(zh.split("|")), tuple(en.split("|")), (), "")


def found(wanted: list[Term], text: str, language: Language = "en", more: tuple[Term, ...] = ()) -> list[str]:
    """The official Chinese of those that a text renders."""
    read_in = reader(wanted, [*wanted, *more], language)
    return [term.zh[0] for term, forms in read_in(text).items() if forms]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("export control", "EXPORT CONTROLS, and nothing else"),
        ("export controls", "an export control"),
        ("export control", "China’s Export Control's scope"),
        ("People's Republic of China", "the Peoples’ Republic of China"),
        ("developing countries", "a developing country"),
        ("tax law", "tax laws and taxes; taxes laws"),
        ("dual-use item", "dual use items"),
        ("multilateral mechanism", "multilateral\n  mechanisms"),
        ("multi-lateral mechanism", "a multilateral mechanism"),
        ("non-proliferation", "nonproliferation"),
        ("non-proliferation", "non proliferation"),
        ("non-proliferation", "non\N{NON-BREAKING HYPHEN}proliferation"),
        ("export control", "export-control-related measures"),
        ("export control", "Since改革开放export control加强"),
        ("UN Security Council", "the U.N. Security Council"),
        ("goods, technologies and services", "goods, technologies, and services"),
        ("goods, technologies and services", "services, goods & technologies"),
        ("fair, reasonable and non-discriminatory", "non-discriminatory, reasonable, fair rules"),
        ("prohibitive or restrictive measures", "restrictive or prohibitive measures"),
        ("national security and interests", "national interests and security"),
        ("weapons of mass destruction", "mass destruction weapons"),
        ("legal system for export controls", "the export control legal system"),
        ("legal system for export controls", "a legal system of the export controls"),
        ("export controls", "the control of exports, as such"),
        ("export controls", "strict controls over exports"),
        ("export controls", "Controls on the export are strict"),
        ("State Council Information Office", "the Information Office of the State Council"),
        ("traditional security", "traditional and non-traditional security"),
        ("export control", "export, transit and import controls"),
        ("UN", "in U.N. bodies, or the UN’s"),
        ("white paper", "ＷＨＩＴＥ　ｐａｐｅｒ"),
    ],
)
def test_the_same_in_english(form: str, text: str) -> None:
    assert found([term("词", form)], text) == ["词"]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("developing countries", "developed countries"),
        ("controlled items", "control items, or items that are controlled"),
        ("security", "insecurity, securing, secure"),
        ("law", "lawful outlaws in lawsuits"),
        ("proliferation", "non-proliferation, non proliferation, nonproliferation, counter-proliferation"),
        ("traditional security", "non-traditional security"),
        ("export control", "re-export control"),
        ("export control", "exports. Control of imports"),
        ("export control", "export, control"),
        ("international system", "the system of international law"),
        ("international system", "a system of international and regional bodies"),
        ("United Nations", "united national efforts"),
        ("UN", "un-American; UNESCO; run; U.S."),
        ("WHO", "those who know"),
        ("rule of law", "the law rules"),
        ("globalization", "the global economy"),
        (
            "Regulations on the Control of Nuclear Export and Related Technologies",
            "Regulations on Related Technologies and the Control of Nuclear Export",
        ),
        ("export control", "出口管制"),
        ("export control", ""),
    ],
)
def test_not_the_same_in_english(form: str, text: str) -> None:
    assert found([term("词", form)], text) == []


@pytest.mark.parametrize(
    ("form", "text", "rendered"),
    [
        ("出口管制", "中国的出口管制体系", True),
        ("出口管制", "中国的 出口\n管制", True),
        ("世界和平与发展", "维护世界和平和发展", True),
        ("公正、合理、非歧视", "公正、合理和非歧视的出口管制", True),
        ("禁止或者限制性措施", "采取禁止或限制性措施", True),
        ("禁止细菌（生物）及毒素武器的公约", "《禁止细菌(生物)和毒素武器的公约》", True),
        ("出口管制", "出口控制", False),
        ("地区安全", "区域安全", False),
        ("公正、合理、非歧视", "公正合理非歧视", False),
        ("出口管制", "export control", False),
    ],
)
def test_chinese(form: str, text: str, rendered: bool) -> None:
    assert bool(found([term(form, "x")], text, "zh")) == rendered


CONTROL = term("出口管制", "export controls|export control measures")
SYSTEM, MEASURES = (
    term("出口管制体系", "export control system"),
    term("出口管制措施", "export control measures"),
)
LAWS = term(
    "出口管制法律制度", "legal system for export controls|legal and regulatory system for export controls"
)
RULES = term(
    "管理体系", "regulatory system for export controls|legal and regulatory system for export controls"
)
SPREAD, AGAINST = term("扩散", "proliferation"), term("防扩散", "non-proliferation")


def test_text_is_used_once_the_longest_form_first() -> None:
    assert found([CONTROL, SYSTEM], "the export control system") == ["出口管制体系"]
    assert found([CONTROL, SYSTEM], "export controls in an export control system") == [
        "出口管制",
        "出口管制体系",
    ]
    assert found([CONTROL, SYSTEM], "出口管制体系", "zh") == ["出口管制体系"]
    assert found([SPREAD, AGAINST], "防扩散", "zh") == ["防扩散"]
    assert found([SPREAD, AGAINST], "防扩散和扩散", "zh") == ["扩散", "防扩散"]


def test_a_form_of_two_terms_counts_for_both_unless_one_is_part_of_the_other() -> None:
    assert found([LAWS, RULES], "its legal and regulatory system for export controls") == [
        "出口管制法律制度",
        "管理体系",
    ]
    assert found([CONTROL, MEASURES], "export control measures") == ["出口管制措施"]
    assert found([CONTROL, MEASURES], "export control measures, and other export control measures") == [
        "出口管制",
        "出口管制措施",
    ]
    assert found([CONTROL, MEASURES], "export control measures and export controls") == [
        "出口管制",
        "出口管制措施",
    ]


def test_only_what_is_wanted_takes_text_away_and_an_opposite_never_counts() -> None:
    others = (SYSTEM, MEASURES, AGAINST)
    assert found([CONTROL], "the export control system", more=others) == ["出口管制"]
    assert found([CONTROL], "公正的出口管制措施", "zh", others) == ["出口管制"]
    assert found([SPREAD], "防扩散", "zh", others) == []
    assert found([SPREAD], "防止扩散", "zh", others) == ["扩散"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_accepted_form_is_accepted(language: Language) -> None:
    odd = [
        term("词", form)
        for form in ("for export control", "U.N.", "“One China” principle", "R&D", "the A and B")
    ]
    for one in [*TERMS, *odd]:
        for form in one.forms(language):
            assert found([one], f"See {form}.", language) == [one.zh[0]]


READ_BY_EYE: list[tuple[str, Language, str, str]] = [
    # Segment, language, what a published system wrote there, what of the segment's terms it has.
    (
        "1.1-p1-s2",
        "en",
        "China firmly adheres to the overall security policy, comprehensively traditional and non-traditional security, "
        "comprehensively maintaining and shaping security, building with the security and interests of the country.",
        "传统安全 非传统安全",
    ),
    (
        "1.4-p1-s1",
        "en",
        "Any country or region should not abuse export control measures, no reason to implement discriminatory restrictions, in "
        "the prevention of spread, implement double standards, and even push export control measures towards discrimination.",
        "出口管制 出口管制措施 歧视性限制措施 双重标准",
    ),
    (
        "1-p1-s1",
        "en",
        "China is a responsible country, firmly maintaining the international system and the international law, ensuring that it "
        "maintains the integrity of the genuine multilateral system and mechanisms, and promoting the development of "
        "international export control towards fair, reasonable, and non-discriminatory correct directions.",
        "出口管制 国际法 国际体系 公正、合理、非歧视 负责任大国",
    ),
    ("2-h", "en", "Enhancing the export control law system and management system", ""),
    ("1.4-h", "en", "To resist the use of export controls.", ""),
    (
        "preamble-p2-s2",
        "zh",
        "国际和地区安全风险和挑战的地位和作用日益重要，是应对国际和地区安全风险和挑战的有效手段，为世界和平和发展发挥重要作用。",
        "地区安全 世界和平与发展",
    ),
    (
        "1.3-p1-s3",
        "zh",
        "中国坚信通过国际协调和合作和多ilateral机制，可以解决差异和争议，使所有国家都能够成为合作伙伴。",
        "国际协调",
    ),
    ("front-h1", "zh", "中国出口控制", ""),
]


@pytest.mark.parametrize(("id", "language", "text", "rendered"), READ_BY_EYE)
def test_what_published_systems_wrote(id: str, language: Language, text: str, rendered: str) -> None:
    wanted = [term for term in TERMS if id in term.segments]
    assert found(wanted, text, language, TERMS) == rendered.split()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "text",
    [
        "出口管制、以及",
        "traditional and ",
        "traditional, a-",
        " ",
        "'s ",
        "u.n.",
        "export control of ",
        "<script>",
        "x&",
        "İ",
    ],
)
def test_100_000_characters(text: str, language: Language) -> None:
    """Grows with the length, and not with its square: that would take hours."""
    long = (text * 100_000)[:100_000]
    forms = reader(TERMS[:20], TERMS, language)(long)
    expected = {"出口管制、以及": "zh", "export control of ": "en"}.get(text) == language
    assert any(forms.values()) == expected
