"""The figures of docs/answers.md: the cleaning and the flags on the corpus, the flags on human translations."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from bench import references
from bench.answers.cleaning import clean
from bench.answers.finish import finish_name
from bench.core import Flag, Output, Task
from bench.languages import DIRECTIONS, Direction, sides
from bench.scoring import judgements
from bench.translation.flags import flags
from tests.answers.corpus import GROUPS, Case, cases

SET = "china-export-controls-2021"


@dataclass(frozen=True)
class Result:
    """What the code makes of a case."""

    case: Case
    text: str
    flags: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return self.text == self.case.text and sorted(self.flags) == self.case.flags


def result(case: Case) -> Result:
    cleaned = clean(case.raw, case.source, sides(case.direction)[1])
    output = Output(cleaned.text, finish=finish_name(case.finish), unclear=cleaned.unclear)
    return Result(case, cleaned.text, flags(output, case.source, case.direction))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.answers", description=__doc__)
    parser.add_argument(
        "judgements", nargs="*", type=Path, help="CSV files of human judgements: their references are used"
    )
    options = parser.parse_args(arguments)
    results = {group: [result(case) for case in cases(group)] for group in GROUPS}
    _print_corpus(results)
    humans = {f"{SET} {direction}": _references(direction) for direction in DIRECTIONS}
    for path in options.judgements:
        humans.update(_judged(path))
    _print_flags([each for group in results.values() for each in group], humans)


Pair = tuple[str, str, Direction]
"""Source, translation by a person, direction."""


def _references(direction: Direction) -> list[Pair]:
    task = Task(references.load(SET), direction)
    return [(source, text, direction) for source, text in zip(task.sources, task.references, strict=True)]


def _judged(path: Path) -> dict[str, list[Pair]]:
    name = path.name.partition(".")[0]
    rows = judgements.read(path)
    sets = {}
    for direction in DIRECTIONS:
        pairs = [(row.source, row.reference, direction) for row in rows if row.pair == direction]
        if pairs:
            sets[f"{name} {direction}"] = list(dict.fromkeys(pairs))
    return sets


def _print_corpus(results: dict[str, list[Result]]) -> None:
    damaged = [r for r in results["official"] if r.text != r.case.text]
    left = [r for group in ("reasoning", "wrappers") for r in results[group] if r.text != r.case.text]
    unclear = Counter(group for group, rs in results.items() for r in rs if "unclear-answer" in r.flags)
    print("| group | cases | right text | right flags | unclear |\n| --- | ---: | ---: | ---: | ---: |")
    for group, rs in results.items():
        right_text = sum(r.text == r.case.text for r in rs)
        right_flags = sum(sorted(r.flags) == r.case.flags for r in rs)
        print(f"| {group} | {len(rs)} | {right_text} | {right_flags} | {unclear[group]} |")
    print(f"\nTranslations damaged: {len(damaged)} of {len(results['official'])}.")
    print(f"Wrappers left: {len(left)} of {len(results['reasoning']) + len(results['wrappers'])}.\n")
    for wrong in (r for rs in results.values() for r in rs if not r.is_right):
        print(f"{wrong.case.id}: {wrong.text!r} {sorted(wrong.flags)}")


def _print_flags(results: Iterable[Result], humans: dict[str, list[Pair]]) -> None:
    expected = Counter(flag for r in results for flag in r.case.flags)
    hit = Counter(flag for r in results for flag in r.case.flags if flag in r.flags)
    raised: dict[str, Counter[str]] = {}
    changed: Counter[str] = Counter()
    for name, pairs in humans.items():
        raised[name] = Counter()
        for source, text, direction in pairs:
            cleaned = clean(text, source, sides(direction)[1])
            changed[name] += cleaned.text != text.strip()
            raised[name].update(flags(Output(cleaned.text, unclear=cleaned.unclear), source, direction))
    print("| flag | raised on the corpus | " + " | ".join(humans) + " |")
    print("| --- | ---: |" + " ---: |" * len(humans))
    for flag in get_args(Flag):
        rates = [
            f"{raised[name][flag]} ({raised[name][flag] / len(pairs):.2%})" for name, pairs in humans.items()
        ]
        print(f"| `{flag}` | {hit[flag]} of {expected[flag]} | " + " | ".join(rates) + " |")
    print("| human translations | | " + " | ".join(f"{len(pairs)}" for pairs in humans.values()) + " |")
    print("| of these changed by cleaning | | " + " | ".join(str(changed[name]) for name in humans) + " |")
