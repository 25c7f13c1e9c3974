"""What the scorers of facts and obligations find in the gold pairs of the aligner, and how many changes they
notice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.core import Task
from bench.facts import find
from bench.facts.matching import Expected, expected_facts, faults
from bench.facts.mention import Mention, Name, says
from bench.facts.obligations import Modality, expected_statements
from bench.facts.obligations import faults as obligation_faults
from bench.languages import DIRECTIONS, Direction, Language, sides
from bench.references.parallel import parallel_task
from bench.scorers.facts import Facts
from bench.scorers.obligations import Obligations
from tests.facts.structure_figures import measure_structure
from tests.helpers.sets import BLIND, DOCUMENTS, GOLD, gold

_CASES = Path(__file__).with_name("obligations.tsv")
_DIGITS = {
    **dict(zip("0123456789", "1234567893", strict=True)),
    **dict(zip("二三四五六七八九", "三四五六七八九二", strict=True)),
}
_WORDS = {"two": "three", "three": "four", "four": "six", "five": "seven", "six": "eight", "seven": "nine"}


@dataclass
class Figures:
    """Of one direction."""

    expected: Counter[str] = field(default_factory=Counter)
    """Kind of fact -> number."""
    segments: int = 0
    """In which something is expected."""
    mixed_segments: int = 0
    """In which several kinds are expected."""
    reference_faults: int = 0
    """Faults that the reference itself is accused of."""
    changed: Counter[str] = field(default_factory=Counter)
    """Kind -> number of references with one fact changed."""
    noticed: Counter[str] = field(default_factory=Counter)
    """Kind -> number of them that were noticed."""


def measure(direction: Direction) -> Figures:
    source_language, target_language = sides(direction)
    figures = Figures()
    for zh, en in (pair for document in [*DOCUMENTS, *BLIND] for pair in gold(GOLD / f"{document}.gold.tsv")):
        source_text, reference_text = (zh, en) if direction == "zh-en" else (en, zh)
        source, reference = find(source_text, source_language), find(reference_text, target_language)
        facts = expected_facts(source, reference, target_language)
        figures.expected.update(fact.kind for fact in facts)
        known = [*source, *reference]
        figures.reference_faults += len(faults(facts, known, reference))
        for fact, changed in _changed(facts, reference, reference_text):
            figures.changed[fact.kind] += 1
            found = faults(facts, known, find(changed, target_language))
            figures.noticed[fact.kind] += any(finding.expected == fact.text for finding in found)
    return figures


def _changed(facts: list[Expected], mentions: list[Mention], text: str) -> Iterator[tuple[Expected, str]]:
    """The text with one fact changed or, if it is a name, removed; only facts that it mentions once."""
    for fact in facts:
        once = {(m.start, m.end) for m in mentions if says([m], fact.reading)}
        if len(once) != 1:
            continue
        ((start, end),) = once
        old = text[start:end]
        new = "" if isinstance(fact.reading, Name) else _change(old)
        if new != old:
            yield fact, text[:start] + new + text[end:]


def _change(text: str) -> str:
    """Another number: the last digit or numeral is replaced by another one."""
    for word, other in _WORDS.items():
        if word in text.lower():
            return text.lower().replace(word, other)
    for position in range(len(text) - 1, -1, -1):
        if text[position] in _DIGITS:
            return text[:position] + _DIGITS[text[position]] + text[position + 1 :]
    return text


_CHANGES: dict[Language, dict[Modality, tuple[tuple[str, str], ...]]] = {
    "en": {
        "prohibition": ((r"\b(shall|must|may|should) not\b", r"\1"), (r"\bprohibited from\b", "allowed in")),
        "obligation": ((r"\b(?:shall|must)\b(?! not)", "may"),),
        "permission": ((r"\bmay\b(?! not)", "must"),),
        "exemption": ((r"\bneed not\b", "must"),),
    },
    "zh": {
        "prohibition": (("不得|严禁|禁止", "可以"),),
        "obligation": (("应当|必须", "可以"),),
        "permission": (("可以|有权", "必须"),),
        "exemption": (("无须|无需|不必", "必须"),),
    },
}
"""What is replaced, once, in a reference that makes a statement of the class."""


def measure_obligations(direction: Direction) -> Figures:
    target = sides(direction)[1]
    figures = Figures()
    for zh, en in (pair for document in [*DOCUMENTS, *BLIND] for pair in gold(GOLD / f"{document}.gold.tsv")):
        source, reference = (zh, en) if direction == "zh-en" else (en, zh)
        expected = expected_statements(source, reference, target)
        figures.expected.update(expected)
        figures.segments += bool(expected)
        figures.mixed_segments += len(expected) > 1
        figures.reference_faults += len(list(obligation_faults(expected, reference, reference, target)))
        for modality in expected:
            for pattern, replacement in _CHANGES[target][modality]:
                changed, count = re.subn(pattern, replacement, reference, count=1)
                if count:
                    found = obligation_faults(expected, reference, changed, target)
                    figures.changed[modality] += 1
                    figures.noticed[modality] += any(other == modality for _, other in found)
    return figures


def obligation_cases() -> list[tuple[str, str, Language, str, str]]:
    """(source, reference, target language, fault, hypothesis) of obligations.tsv."""
    rows = [line.split("\t") for line in _CASES.read_text("utf-8").splitlines()[1:]]
    return [
        (zh, en, "en", fault, text) if target == "en" else (en, zh, "zh", fault, text)
        for zh, en, target, fault, text in rows
    ]


@dataclass
class Decisions:
    """Of the cases written by hand, in one direction."""

    cases: int = 0
    wrong: list[tuple[str, list[str]]] = field(default_factory=list)
    """Hypotheses with other accusations than they should have, and these."""
    faulty: int = 0
    """Cases whose hypothesis has a fault."""
    accused: int = 0
    justified: int = 0
    """Accused cases that have the fault that they are accused of."""

    @property
    def precision(self) -> float:
        return self.justified / self.accused


def measure_cases(target: Language) -> Decisions:
    decisions = Decisions()
    for source, reference, language, fault, hypothesis in obligation_cases():
        if language == target:
            statements = expected_statements(source, reference, target)
            found = [
                f"{kind} {modality}"
                for kind, modality in obligation_faults(statements, reference, hypothesis, target)
            ]
            decisions.cases += 1
            if found != ([fault] if fault else []):
                decisions.wrong.append((hypothesis, found))
            decisions.faulty += bool(fault)
            decisions.accused += bool(found)
            decisions.justified += bool(fault) and found[:1] == [fault]
    return decisions


def _print(title: str, unit: str, figures: Figures) -> None:
    print(
        f"{title}: {sum(figures.expected.values()):,} {unit}, {figures.reference_faults} faults of the reference"
    )
    for kind, count in sorted(figures.expected.items()):
        changed, noticed = figures.changed[kind], figures.noticed[kind]
        print(f"  {kind:11} {count:4} {unit}, {noticed} of {changed} changed ones noticed")


def main(arguments: list[str]) -> None:
    """`arguments`: none, or direction and files of sources, references and other translations."""
    if arguments:
        direction, *paths = arguments
        sources, references, others = (Path(path).read_text("utf-8").splitlines() for path in paths)
        _print_other(parallel_task("other", direction, sources, references), others)
        return
    for direction in DIRECTIONS:
        _print(direction, "facts", measure(direction))
        obligations = measure_obligations(direction)
        _print(direction, "statements", obligations)
        print(
            f"  in {obligations.segments} segments, {obligations.mixed_segments} of them with several classes"
        )
        decisions = measure_cases(sides(direction)[1])
        print(
            f"  {decisions.cases} cases by hand, {decisions.cases - len(decisions.wrong)} decided rightly; {decisions.justified} of "
            f"{decisions.accused} accusations are right (precision {decisions.precision:.1%}), "
            f"{decisions.faulty} cases have a fault"
        )
        for change, outcomes in measure_structure(direction).items():
            print(
                f"{direction}, structure, {change}: "
                + ", ".join(f"{n} {name}" for name, n in outcomes.items())
            )


def _print_other(task: Task, others: list[str]) -> None:
    """The scores of another human translation, and the segments that it is accused of."""
    for scorer in (Facts(""), Obligations("")):
        score = scorer.score(task, {"other": others}, Path())["other"]
        accused = sum(hits < total for hits, total in score.statistics)
        expected = sum(total > 0 for _, total in score.statistics)
        print(
            f"{score.metric} {score.value:.1f}: {accused} segments accused, of {expected} with something expected "
            f"and {len(others):,} in all ({accused / len(others):.1%})"
        )
