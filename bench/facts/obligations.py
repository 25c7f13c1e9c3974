"""Who must, must not, may or need not: the modal force of official sentences, by words and their negation.

A text is searched for expressions of four classes. Each place counts once: the first class that matches there,
so that "shall not" is a prohibition and no obligation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bench.facts.modal_words import AVOIDANCE, COORDINATION, LENIENT, STRICT, Modality
from bench.languages import Language

Fault = Literal["reversed", "lost", "weakened", "strengthened"]

MODALITIES: tuple[Modality, ...] = ("prohibition", "obligation", "permission", "exemption")
"""The gravest first."""


def _compile(expressions: dict[Modality, str], language: Language) -> re.Pattern[str]:
    edge = r"\b" if language == "en" else ""
    # n't has no edge before it.
    groups = "|".join(f"(?P<{modality}>{expression})" for modality, expression in expressions.items())
    return re.compile(f"{edge}(?:{groups}){edge}")


_STRICT_PATTERNS = {language: _compile(STRICT[language], language) for language in STRICT}
_LENIENT_PATTERNS = {
    language: {
        modality: re.compile(expression if language == "zh" else rf"(?:\b|(?=n['’]))(?:{expression})\b", re.I)
        for modality, expression in expressions.items()
    }
    for language, expressions in LENIENT.items()
}


@dataclass(frozen=True, slots=True)
class Statement:
    """An expression of a class."""

    modality: Modality
    text: str
    start: int
    end: int


def find(text: str, language: Language) -> list[Statement]:
    """What a text says beyond doubt, from left to right."""
    return [
        Statement(modality, match[0], match.start(), match.end())
        for match in _STRICT_PATTERNS[language].finditer(text)
        for modality in MODALITIES
        if match[modality] is not None
    ]


def count(statements: list[Statement]) -> Counter[Modality]:
    return Counter(statement.modality for statement in statements)


def expected_statements(source: str, reference: str, target: Language) -> Counter[Modality]:
    """How often both texts say each class."""
    return count(find(source, "zh" if target == "en" else "en")) & count(find(reference, target))


def faults(
    expected: Counter[Modality], reference: str, hypothesis: str, target: Language
) -> Iterator[tuple[Fault, Modality]]:
    """The statements that a hypothesis does not make, the gravest first.

    Statements are kept if the hypothesis has as many expressions of their class as the reference, or as many
    that may say it and are not in the reference for another reason ("without approval"). Otherwise it is reversed,
    weakened or strengthened if the hypothesis says more of another class than the reference does, and lost if not. One
    expression may govern several verbs ("may enter and leave"): then none of them is lost.
    """
    said = count(find(hypothesis, target))
    stated = count(find(reference, target))
    surplus = said - stated
    avoids = re.search(AVOIDANCE[target], reference) and not re.search(AVOIDANCE[target], hypothesis)
    forbidden = max(0, surplus.pop("prohibition", 0)) if avoids else 0
    # "must not" says what the reference says as an obligation: "shall refrain from"
    for modality in MODALITIES:
        missing = min(expected[modality], stated[modality] - said[modality])
        if missing > 0:
            missing = min(
                missing, stated[modality] - _count_possible(reference, hypothesis, modality, target)
            )
        if modality == "obligation":
            missing -= forbidden
        for _ in range(missing):
            fault = _fault(modality, surplus)
            if fault != "lost" or not _governs_several(hypothesis, modality, target):
                yield fault, modality


def _count_possible(reference: str, hypothesis: str, modality: Modality, language: Language) -> int:
    """The number of expressions in the hypothesis that may say the class. Not counted: the shall of "shall not" as an
    obligation, and words that the reference has beside its statements."""
    lenient, strict = _LENIENT_PATTERNS[language][modality], _STRICT_PATTERNS[language]
    said = strict.sub(lambda match: match[0] if match[modality] else " ", hypothesis).lower()
    beside = strict.sub(" ", reference).lower()
    return (Counter(lenient.findall(said)) - Counter(lenient.findall(beside))).total()


def _governs_several(hypothesis: str, modality: Modality, language: Language) -> bool:
    """Whether a conjunction follows an expression of the class in its sentence."""
    for statement in find(hypothesis, language):
        if statement.modality == modality:
            rest = re.split(r"[.;!?。；！？]", hypothesis[statement.end :], maxsplit=1)[0]
            if re.search(COORDINATION[language], rest):
                return True
    return False


def _fault(modality: Modality, surplus: Counter[Modality]) -> Fault:
    changes: dict[Modality, tuple[tuple[Modality, Fault], ...]] = {
        "prohibition": (("permission", "reversed"), ("obligation", "reversed"), ("exemption", "weakened")),
        "obligation": (("prohibition", "reversed"), ("exemption", "reversed"), ("permission", "weakened")),
        "permission": (("prohibition", "reversed"), ("obligation", "strengthened")),
        "exemption": (("obligation", "reversed"), ("prohibition", "strengthened")),
    }
    for other, fault in changes[modality]:
        if surplus[other]:
            surplus[other] -= 1
            return fault
    return "lost"
