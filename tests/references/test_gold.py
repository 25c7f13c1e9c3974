"""Precision and recall of the aligner on gold pairs written by examiners, and the command that prints
them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.alignment.evaluate import Result, compare, evaluate, total
from bench.references.alignment.pipeline import build_segments
from bench.references.reading.read import read
from tests.helpers.command import invoke
from tests.helpers.sets import BLIND, DOCUMENTS, GOLD, LICENCE, PUBLIC, WHITE_PAPER, built, gold, sources

FILES = {document: GOLD / f"{document}.gold.tsv" for document in DOCUMENTS}


@pytest.fixture(scope="module")
def results() -> dict[str, Result]:
    return {document: evaluate(path) for document, path in FILES.items()}


def shown(*results: Result) -> str:
    """The differences, for the message of a failed test."""
    lines = []
    for result in results:
        lines.append(f"{result.document}: precision {result.precision:.3f}, recall {result.recall:.3f}")
        for what, pairs in (("missed", result.missed), ("wrong", result.wrong)):
            lines += [f"  {what}\n    {zh}\n    {en}" for zh, en in pairs]
    return "\n".join(lines)


def test_the_white_paper_is_right() -> None:
    result = evaluate(WHITE_PAPER / "source.gold.tsv")
    assert (result.document, result.gold) == ("china-export-controls-2021", 39)
    assert (result.precision, result.recall) == (1, 1), shown(result)


def together(results: Iterable[Result]) -> tuple[float, float]:
    """Precision and recall of all pairs."""
    right, found, wanted = (sum(column) for column in zip(*map(counts, results), strict=True))
    return right / found, right / wanted


def counts(result: Result) -> tuple[int, int, int]:
    return result.correct, result.aligned, result.gold


def test_all_other_pairs_together(results: dict[str, Result]) -> None:
    assert min(together(results.values())) >= 0.98, shown(*results.values())


def test_documents_that_were_written_after_the_rules() -> None:
    """Harder documents, by examiners who had not seen the rules. Some errors on them, not all, led to better
    rules."""
    found = [evaluate(GOLD / f"{document}.gold.tsv") for document in BLIND]
    assert len(found) == 12
    assert min(together(found)) >= 0.96, shown(*found)
    assert min(min(result.precision, result.recall) for result in found) >= 0.8, shown(*found)


def test_public_texts() -> None:
    found = [evaluate(LICENCE / "source.gold.tsv"), *(evaluate(GOLD / f"{name}.gold.tsv") for name in PUBLIC)]
    assert [result.gold for result in found] == [115, 89, 29, 29, 69, 70]
    assert min(together(found)) >= 0.995, shown(*found)


def test_99_of_100_pairs_are_right_and_a_third_of_the_doubtful_ones_are_wrong() -> None:
    """On all gold documents: a longer list would waste the reviewer's time."""
    paths = [WHITE_PAPER / "source.gold.tsv", LICENCE / "source.gold.tsv"]
    paths += [GOLD / f"{name}.gold.tsv" for name in (*DOCUMENTS, *BLIND, *PUBLIC)]
    everything = total([evaluate(path) for path in paths])
    assert min(everything.precision, everything.recall) >= 0.99
    assert everything.doubtful_wrong / everything.doubtful >= 1 / 3


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_document(results: dict[str, Result], document: str) -> None:
    assert results[document].precision >= 0.95, shown(results[document])
    assert results[document].recall >= 0.95, shown(results[document])


def test_gold_pairs_are_of_their_documents() -> None:
    """Each side of each pair has no other letters and digits than the source."""
    for path in (*FILES.values(), WHITE_PAPER / "source.gold.tsv"):
        files = sources(path.name.split(".")[0]) if path.parent == GOLD else [WHITE_PAPER / "source.txt"]
        held = {c for text in read(files).texts.values() for c in text if c.isalnum()}
        for pair in gold(path):
            assert all(side.strip() == side != "" for side in pair)
            assert {c for side in pair for c in side if c.isalnum()} <= held, pair


# Each segment's id and how many sentences it joins, Chinese first.
STATEMENT = """
front-h1 1-1 | front-p1-s1 1-1 | front-p2-s1 1-1 | 1-h 1-1 | 1.1-p1-s1 1-2 | 1.2-p1-s1 1-1 | 1.2-p1-s2 1-1
2-h 1-1 | 2.1-p1-s1 2-1 | 2.2-p1-s1 1-1 | 2.2-p1-s2 1-1 | 3-h 1-1 | 3-p1-s1 1-2 | 3-p1-s2 1-1 | 3-p2-s1 1-1
"""


def test_the_statement_in_full() -> None:
    """Ids, numbers that are not in the text, and what is left out with its reason."""
    found = build_segments(read([GOLD / "ocean-statement.txt"]))
    rows = [row.split() for row in STATEMENT.replace("\n", "|").split("|") if row.strip()]
    assert [[s.id, s.alignment] for s in found.segments] == rows
    for segment, (zh, en) in zip(found.segments, gold(GOLD / "ocean-statement.gold.tsv"), strict=True):
        assert segment.zh_number + segment.zh == zh
        assert f"{segment.en_number} {segment.en}".strip() == en
    numbers = {s.id: (s.zh_number, s.en_number) for s in found.segments if s.zh_number}
    assert numbers == {
        **{"1-h": ("一、", "I."), "1.1-p1-s1": ("（一）", "1."), "1.2-p1-s1": ("（二）", "2.")},
        **{"2-h": ("二、", "II."), "2.1-p1-s1": ("（一）", "1."), "2.2-p1-s1": ("（二）", "2.")},
        **{"3-h": ("三、", "III.")},
    }
    header, page = "running header or footer", "page number"
    assert [(item.lines[0], item.side, item.reason) for item in found.left_out] == [
        (13, "en", header),
        (21, "zh", header),
        (29, "en", header),
        (33, "en", "no counterpart in the other language"),
        (39, "zh", header),
        (47, "zh", page),
        (49, "en", header),
        (61, "en", page),
        (63, "zh", header),
        (73, "en", header),
        (77, "zh", header),
    ]


# --- the measures ---

TEXT = "Aims\n\n1. China acts for peace. It signs.\n\n目标\n\n（一）中国为和平而行动。中国签署。\n"


@pytest.mark.parametrize(
    ("pairs", "right", "found"),
    [
        (
            [
                ("目标", "Aims"),
                ("（一）中国为和平而行动。", "1. China acts for peace."),
                ("中国签署。", "It signs."),
            ],
            3,
            3,
        ),
        # Punctuation, spaces and capitals do not count; the number does.
        (
            [
                ("目 标", "AIMS"),
                ("(一) 中国为和平而行动", "1 China acts, for peace"),
                ("中国签署", "It signs"),
            ],
            3,
            3,
        ),
        (
            [
                ("目标", "Aims"),
                ("中国为和平而行动。", "1. China acts for peace."),
                ("中国签署。", "It signs."),
            ],
            2,
            3,
        ),
        # A pair that is right on one side only, one that is missing, one that is joined.
        ([("目标", "Aim"), ("中国签署。", "It signs.")], 1, 3),
        (
            [("目标", "Aims"), ("（一）中国为和平而行动。中国签署。", "1. China acts for peace. It signs.")],
            1,
            3,
        ),
        # A pair counts as often as it occurs.
        ([("中国签署。", "It signs.")] * 2, 1, 3),
    ],
)
def test_compare(pairs: list[tuple[str, str]], right: int, found: int) -> None:
    result = compare("d", pairs, built(TEXT).segments)
    assert (result.gold, result.aligned, result.correct) == (len(pairs), found, right)
    assert (result.precision, result.recall) == (right / found, right / len(pairs))


def test_missed_and_wrong_pairs_are_named() -> None:
    result = compare("d", [("目标", "Aims"), ("中国签署。", "It signed.")], built(TEXT).segments)
    assert result.missed == (("中国签署。", "It signed."),)
    assert [en for _, en in result.wrong] == ["1. China acts for peace.", " It signs."]


def test_overrides_beside_the_source_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "a.gold.tsv").write_text("目标\tAims\n", "utf-8")
    (tmp_path / "overrides.yaml").write_text("alone: [{zh: [L5s1], reason: r}]", "utf-8")
    assert evaluate(tmp_path / "a.gold.tsv").recall == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.gold.tsv", "目标\n", "write one pair per line"),
        ("a.gold.tsv", "目标\tAims\tmore\n", "write one pair per line"),
        ("a.gold.tsv", "\n", "write one pair per line"),
        ("b.gold.tsv", "目标\tAims\n", "is beside NAME.txt"),
        ("a.tsv", "目标\tAims\n", "pass a NAME.gold.tsv"),
        ("a.gold.tsv", b"\xff\xfe\t\xff\n", "UTF-8"),
    ],
)
def test_a_gold_file_that_is_wrong(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BenchError, match=message):
        evaluate(tmp_path / name)


# --- the table ---


def test_the_command_prints_the_table(results: dict[str, Result]) -> None:
    paths = [str(path) for path in (*FILES.values(), WHITE_PAPER / "source.gold.tsv")]
    done = invoke("references", "evaluate", *paths)
    assert done.exit_code == 0, done.output
    print(done.output)  # `pytest -s` shows it
    cells = [
        [cell.strip() for cell in line.strip("│┃ ").split("│")]
        for line in done.output.split("\n")
        if "│" in line
    ]
    shown_results = [*results.values(), evaluate(WHITE_PAPER / "source.gold.tsv")]
    right, found, wanted = (sum(column) for column in zip(*map(counts, shown_results), strict=True))
    shown_results.append(Result("all", wanted, found, right, (), ()))
    assert cells == [
        [r.document, str(r.gold), str(r.aligned), str(r.correct), f"{r.precision:.3f}", f"{r.recall:.3f}"]
        for r in shown_results
    ]


def test_the_command_shows_what_differs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8")
    (tmp_path / "a.gold.tsv").write_text("目标\tAims\n中国签署。\tIt signed.\n", "utf-8")
    done = invoke("references", "evaluate", "-v", str(tmp_path / "a.gold.tsv"))
    assert "a missed\n  中国签署。\n  It signed.\n" in done.output
    assert "a wrong\n" in done.output
    missing = invoke("references", "evaluate", str(tmp_path / "none.gold.tsv"))
    assert missing.exit_code == 2
