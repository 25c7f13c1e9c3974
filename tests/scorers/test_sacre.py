"""Every number equals the one that the sacrebleu command prints for the same files, to the last digit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import sacrebleu.metrics

from bench import references
from bench.core import Score, digest
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.references.parallel import parallel_task
from bench.scorers import _sacrebleu
from bench.scorers.sacre import _SETTINGS, Sacre
from tests.helpers.sacrebleu_command import OPTIONS, run_sacrebleu

TER = pytest.param("TER", marks=pytest.mark.slow)
CASES = [(metric, direction) for metric in ("BLEU", "chrF", "chrF++") for direction in ("zh-en", "en-zh")] + [
    ("TER", "zh-en"),
    pytest.param("TER", "en-zh", marks=pytest.mark.slow),
]


def texts(direction: Direction) -> tuple[list[str], list[str]]:
    """References, and hypotheses that are partly right: words swapped, dropped, one empty, one in the wrong
    language.
    """
    source, target = sides(direction)
    segments = references.load("china-export-controls-2021").segments[:20]
    expected = [segment.text(target) for segment in segments]
    given = [text[len(text) // 3 :] + text[: len(text) // 4] for text in expected]
    given[0], given[3], given[7] = expected[0], "", segments[7].text(source)
    return expected, given


def command(folder: Path, expected: Sequence[str], given: Sequence[str], *options: str) -> str:
    for name, lines in (("reference", expected), ("hypothesis", given)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return run_sacrebleu(folder, "reference", "-i", "hypothesis", "-w", "12", *options)


def ours(metric: str, direction: Direction, expected: Sequence[str], given: list[str]) -> Score:
    return scored(Sacre(metric), direction, expected, {"it": given})["it"]


def scored(
    scorer: Sacre, direction: Direction, expected: Sequence[str], systems: dict[str, list[str]]
) -> dict[str, Score]:
    return scorer.score(parallel_task("test", direction, expected, expected), systems, Path("not written"))


@pytest.mark.parametrize(("metric", "direction"), CASES)
def test_score_and_signature(tmp_path: Path, metric: str, direction: Direction) -> None:
    expected, given = texts(direction)
    count = 9 if metric == "TER" else 20  # TER takes seconds a segment on Chinese
    expected, given = expected[:count], given[:count]
    options = OPTIONS[metric, sides(direction)[1]]
    theirs = json.loads(command(tmp_path, expected, given, *options))
    score = ours(metric, direction, expected, given)
    assert score.value == pytest.approx(theirs["score"], abs=1e-9)
    assert score.signature == f"{metric}|{theirs['signature']}"


@pytest.mark.parametrize(("metric", "direction"), CASES)
def test_each_segment(tmp_path: Path, metric: str, direction: Direction) -> None:
    expected, given = texts(direction)
    expected, given = expected[:9], given[:9]
    options = [*OPTIONS[metric, sides(direction)[1]], "--sentence-level", "-f", "text", "-b"]
    theirs = [float(line) for line in command(tmp_path, expected, given, *options).split()]
    assert list(ours(metric, direction, expected, given).segments) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("metric", ["BLEU", "chrF", "chrF++", "TER"])
def test_statistics_are_what_scores_are_made_of(metric: str) -> None:
    """Whole numbers, a row a segment: the score of any of its segments is sacrebleu's of the sum of their
    rows.
    """
    expected, given = texts("zh-en")
    score = ours(metric, "zh-en", expected, given)
    name, settings = _SETTINGS[metric]
    theirs = getattr(sacrebleu.metrics, name)(**settings["en"])
    some = [3, 5, 5, 8]
    wanted = theirs.corpus_score([given[n] for n in some], [[expected[n] for n in some]]).score
    summed = [sum(score.statistics[n][place] for n in some) for place in range(len(score.statistics[0]))]
    assert theirs._compute_score_from_stats(summed).score == pytest.approx(wanted, abs=1e-12)
    assert 0 < wanted < 100
    assert {type(number) for row in score.statistics for number in row} == {int}


def test_chinese_bleu_is_not_zero() -> None:
    """The mistake that the direction is there to prevent: 13a on Chinese."""
    expected, given = texts("en-zh")
    assert ours("BLEU", "en-zh", expected, given).value > 30


def test_the_users_seed_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, given = texts("zh-en")
    before = ours("chrF", "zh-en", expected, given)
    monkeypatch.setenv("SACREBLEU_SEED", "1")
    assert ours("chrF", "zh-en", expected, given) == before


@pytest.mark.parametrize("metric", ["BLEU", TER])
def test_several_systems_are_kept_apart(metric: str) -> None:
    """TER of several systems runs in processes of its own, the others share the counted references."""
    expected, given = texts("zh-en")
    scores = scored(Sacre(metric), "zh-en", expected, {"worse": given, "perfect": expected})
    assert scores["perfect"].value == (0 if metric == "TER" else pytest.approx(100))
    alone = scored(Sacre(metric), "zh-en", expected, {"worse": given})
    assert scores["worse"] == alone["worse"]


def test_what_changes_a_score_changes_the_identity() -> None:
    identities = [Sacre("chrF").identity(), Sacre("chrF++").identity()]
    assert len({digest(identity) for identity in identities}) == 2


def test_an_untested_version_of_sacrebleu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sacrebleu, "version", lambda _: "3.0.1")
    with pytest.raises(BenchError, match=r"not been tested with sacrebleu 3\.0\.1: pip install 'sacrebleu=="):
        ours("chrF", "zh-en", ["Peace."], ["Peace."])


def test_a_sacrebleu_without_a_private_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sacrebleu, "_PRIVATE", ("_gone",))
    with pytest.raises(BenchError, match="not been tested with sacrebleu"):
        ours("BLEU", "zh-en", ["Peace."], ["Peace."])


def test_an_unknown_metric() -> None:
    with pytest.raises(BenchError, match="BLEUX"):
        Sacre("BLEUX")


def test_ter_refuses_a_segment_that_would_take_hours(tmp_path: Path) -> None:
    task = parallel_task("long", "zh-en", ["源"], ["word " * 5_000])
    with pytest.raises(BenchError, match=r"TER cannot score segment .*10,000 words.*Leave TER out"):
        Sacre("TER").score(task, {"looping": ["again " * 10_000]}, tmp_path)
