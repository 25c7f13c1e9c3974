"""A reviewer who decides at random."""

from __future__ import annotations

import random

from bench.languages import LANGUAGE_NAMES, Language, Side
from bench.references.alignment.order import sentence_position
from bench.references.alignment.pipeline import BuildResult
from bench.references.overrides import Overrides, Pair


def random_decisions(result: BuildResult, lines: int, chance: random.Random) -> Overrides:
    """Pairs of one to five neighbours, sentences without counterpart, and lines that are left out."""
    names = sentence_names(result)
    pairs, alone = list[Pair](), dict[tuple[Language, str], str]()
    leave_out = dict[tuple[Side, int], str]()
    taken = set[tuple[Language, str]]()
    for _ in range(chance.randrange(1, 8)):
        picked = {language: _neighbours(names[language], chance) for language in LANGUAGE_NAMES}
        kind, language = chance.random(), chance.choice(list(LANGUAGE_NAMES))
        new = {(side, name) for side in picked for name in picked[side]}
        if kind < 0.6 and picked["zh"] and picked["en"] and not new & taken:
            pairs.append(Pair(picked["zh"], picked["en"], "reviewed"))
            taken |= new
        elif kind < 0.9 and picked[language]:
            alone |= {
                (language, name): "reviewed" for name in picked[language] if (language, name) not in taken
            }
            taken |= {(language, name) for name in picked[language]}
        elif kind > 0.95:
            leave_out["both", chance.randrange(1, lines + 1)] = "reviewed"
    return Overrides(tuple(pairs), alone, leave_out)


def sentence_names(result: BuildResult) -> dict[Language, list[str]]:
    """The names of all sentences, in the order of the source."""
    names: dict[Language, list[str]] = {"zh": [], "en": []}
    for language, own in names.items():
        own += [name for segment in result.segments for name in segment.sentences(language)]
        own += [entry.sentence for entry in result.left_out if entry.sentence and entry.side == language]
        own.sort(key=sentence_position)
    return names


def _neighbours(names: list[str], chance: random.Random) -> tuple[str, ...]:
    start = chance.randrange(len(names)) if names else 0
    return tuple(names[start : start + chance.choice([1, 1, 1, 2, 3, 5])])
