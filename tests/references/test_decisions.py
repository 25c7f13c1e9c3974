"""What a reviewer decided in overrides.yaml is applied, recorded and proved, and moves nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.references.build import build
from bench.references.review.check import check
from tests.helpers.sets import NOTE_WITHIN, STATEMENT, halves, left_out, texts


def decided(folder: Path, overrides: str, files: tuple[Path, ...] = (STATEMENT,)) -> ReferenceSet:
    (folder / "overrides.yaml").write_text(overrides, "utf-8")
    reference = build(files, "s", folder)
    check(folder)
    return reference


def by_hand(reference: ReferenceSet) -> list[Segment]:
    return [s for s in reference.segments if s.aligned_by == "override"]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        # A 2-1 group is cut: the second Chinese sentence alone has the English one.
        ("[{zh: [L45s2], en: [L37s1], reason: r}]", ["1-1 鉴于此，两国 = Northland will license"]),
        # Two pairs become one.
        ("[{zh: [L27s1, L27s2], en: [L19s1, L31s1], reason: r}]", ["2-2 双方重申遵守国际法。双方一致 = Both sides"]),
        # One becomes two; the English sentence that is over goes to its neighbour by the rules.
        ("[{zh: [L69s1], en: [L57s1], reason: r}]", ["1-1 本声明自签署之日起 = This statement takes effect"]),
        # Sentences within a group are taken in the order of the source.
        ("[{zh: [L45s2, L45s1], en: [L37s1], reason: r}]", ["2-1 鳕鱼资源减少。鉴于此 = Northland will license"]),
        # Two pairs cross: the order of the set is that of the Chinese text.
        (
            "[{zh: [L65s2], en: [L53s1], reason: r}, {zh: [L65s1], en: [L53s2], reason: r}]",
            ["1-1 中方表示： = It will report", "1-1 中方将于 = The Chinese side said"],
        ),
    ],
)  # fmt: skip
def test_pairs(tmp_path: Path, pairs: str, expected: list[str]) -> None:
    free = build([STATEMENT], "s", tmp_path / "free").segments
    found = decided(tmp_path, f"pairs: {pairs}")
    hand = by_hand(found)
    assert len(hand) == len(expected)
    for segment, line in zip(hand, expected, strict=True):
        alignment, zh, _, *en = line.split(" ")
        assert (segment.alignment, segment.confidence) == (alignment, 1.0)
        assert segment.zh.startswith(zh)
        assert segment.en.startswith(" ".join(en))
    near = {line for s in hand for line in (*s.zh_lines, *s.en_lines)}
    for segment in free:  # elsewhere nothing changes
        if not near & {*segment.zh_lines, *segment.en_lines}:
            assert (segment.zh, segment.en) in texts(found.segments)
    report = (tmp_path / "report.md").read_text("utf-8")
    assert "## Reviewer's decisions (overrides.yaml)" in report
    assert f"| aligned by override | {len(expected)} |" in report


@pytest.mark.parametrize(("zh", "en"), [("L9s1", "L59s1"), ("L71s1", "L3s1")])
def test_a_pair_from_far_apart_leaves_the_rest_alone(tmp_path: Path, zh: str, en: str) -> None:
    """As in two lists of definitions, one in the order of the alphabet."""
    free = build([STATEMENT], "s", tmp_path / "free").segments
    found = decided(tmp_path, f"pairs: [{{zh: [{zh}], en: [{en}], reason: r}}]")
    rest = [(s.zh, s.en) for s in free if zh not in s.zh_sentences and en not in s.en_sentences]
    assert set(rest) <= set(texts(found.segments))


def test_a_group_does_not_run_around_a_decision(tmp_path: Path) -> None:
    pairs = [("各口岸每天开放二十四小时。", "Each port shall be open for 24 hours a day.")] * 20
    zh = ["和平持久，法治天下。", *(zh for zh, _ in pairs), "贸易在世界各地区增长。"]
    en = [
        "Peace lasts long. Trade grows in all regions of the world. Law rules the world.",
        *(en for _, en in pairs),
    ]
    for name, lines in (("a.zh.txt", zh), ("a.en.txt", en)):
        (tmp_path / name).write_text("\n\n".join(lines) + "\n", "utf-8")
    files = (tmp_path / "a.zh.txt", tmp_path / "a.en.txt")
    found = decided(tmp_path, "pairs: [{zh: [L43s1], en: [L1s2], reason: r}]", files)
    assert by_hand(found)[0].en == "Trade grows in all regions of the world."


def test_a_decision_that_no_set_can_hold_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    """The note stands behind the sentence that runs around it: the two are neighbours, but not in the source."""
    (tmp_path / "a.txt").write_text(NOTE_WITHIN, "utf-8")
    out = tmp_path / "out"
    build([tmp_path / "a.txt"], "s", out)
    (out / "overrides.yaml").write_text("pairs: [{zh: [L11s1, L7s1], en: [L9s1, L3s1], reason: r}]")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(BenchError, match="stands within"):
        build([], "s", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.xfail(strict=True, reason="each side's number opens the section: 2.1 and 2.1b")
def test_a_paragraph_is_entered_once_where_its_numbers_part(tmp_path: Path) -> None:
    found = decided(tmp_path, "pairs: [{zh: [L45s2], en: [L37s1], reason: r}]")  # （一） stands before L45s1
    assert [s.id for s in by_hand(found)] == ["2.1-p1-s1"]


def test_pairs_that_the_rules_make_too_say_who_decided(tmp_path: Path) -> None:
    free = build([STATEMENT], "s", tmp_path / "free")
    found = decided(tmp_path, "pairs: [{zh: [L25s1], en: [L17s1, L17s2], reason: looks odd and is right}]")
    assert texts(found.segments) == texts(free.segments)
    assert [s.id for s in found.segments] == [s.id for s in free.segments]
    assert [s.zh_sentences for s in by_hand(found)] == [("L25s1",)]
    assert found.sha256 == free.sha256  # a run of the set stays a run of the set
    assert "| L25s1 = L17s1, L17s2 | looks odd and is right |" in (tmp_path / "report.md").read_text("utf-8")


def test_a_decision_is_a_wall_for_what_stands_beside_it(tmp_path: Path) -> None:
    """A pair that is wrong by one pulls its neighbours along: no group of the rules reaches across it."""
    found = decided(tmp_path, "pairs: [{zh: [L43s1], en: [L53s1], reason: r}]")
    for segment in found.segments:
        if segment.aligned_by != "override":
            assert (segment.zh_lines[0] < 43) == (segment.en_lines[0] < 53)


def test_alone(tmp_path: Path) -> None:
    found = decided(
        tmp_path, "alone:\n- {zh: [L45s1], reason: only in Chinese}\n- {en: [L57s2], reason: added}\n"
    )
    segments = {s.zh: s for s in found.segments}
    assert "鳕鱼资源减少。" not in "".join(segments)
    assert segments["本声明自签署之日起生效，有效期五年。"].en.endswith("day of its signature.")
    rows = {row["sentence"]: (row["side"], row["reason"]) for row in left_out(tmp_path)}
    assert rows["L45s1"] == ("zh", "overrides.yaml: only in Chinese")
    assert rows["L57s2"] == ("en", "overrides.yaml: added")
    report = (tmp_path / "report.md").read_text("utf-8")
    assert "| zh L45s1: no counterpart | only in Chinese |" in report
    assert "| en L57s2: no counterpart | added |" in report


@pytest.mark.parametrize("side", ["", "side: en, "])
def test_leave_out_of_one_text(tmp_path: Path, side: str) -> None:
    found = decided(tmp_path, f"leave_out: [{{lines: [33, 5], {side}reason: no text}}]")
    assert [row["reason"] for row in left_out(tmp_path) if row["lines"] in ([33], [5])] == [
        "overrides.yaml: no text"
    ] * 2
    assert "15 March 2019" not in [s.en for s in found.segments]
    assert f"| {'en ' if side else ''}line 33 left out | no text |" in (tmp_path / "report.md").read_text(
        "utf-8"
    )


def test_leave_out_of_two_texts(tmp_path: Path) -> None:
    files = halves(tmp_path)
    out = tmp_path / "out"
    one = build(files, "s", out)
    line = (out / "source.en.txt").read_text("utf-8").split("\n").index("15 March 2019") + 1
    found = decided(out, f"leave_out: [{{lines: [{line}], side: en, reason: no text}}]", files)
    assert len(found.segments) == len(one.segments) - 1
    assert {row["side"] for row in left_out(out) if row["text"] in ("15 March 2019", "2019年3月15日")} == {
        "zh",
        "en",
    }
    with pytest.raises(
        BenchError, match=r"overrides\.yaml:1: the source is two files and the side is missing"
    ):
        decided(out, f"leave_out: [{{lines: [{line}], reason: no text}}]", files)


def test_leave_out_heals_what_the_line_had_cut(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "China will work for\n\nDRAFT OF MAY\n\npeace with all.\n\n中国将为\n\n和平而与各国合作。\n", "utf-8"
    )
    found = decided(tmp_path, "leave_out: [{lines: [3], reason: a stamp}]", (tmp_path / "a.txt",))
    assert [s.en for s in found.segments] == ["China will work for peace with all."]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            "pairs: [{zh: [L1s1], en: [L1s1], reason: r}]",
            "the Chinese sentence L1s1, which is not in the source",
        ),
        (
            "pairs: [{zh: [L7s1], en: [L1s2], reason: r}]",
            "the English sentence L1s2, which is not in the source",
        ),
        ("alone: [{zh: [L25s2], reason: r}]", "the Chinese sentence L25s2, which is not"),
        ("alone: [{en: [L13s1], reason: r}]", "the English sentence L13s1, which is not"),  # a running header
        (
            "leave_out: [{lines: [33], reason: r}]\nalone: [{en: [L33s1], reason: r}]",
            "the English sentence L33s1",
        ),
        ("leave_out: [{lines: [2], reason: r}]", "leaves out line 2, where there is no text"),
        ("leave_out: [{lines: [999], reason: r}]", "leaves out line 999, where there is no text"),
        ("leave_out: [{lines: [33], side: zh, reason: r}]", "leaves out line 33, where there is no"),
    ],
)
def test_a_name_that_is_not_there(tmp_path: Path, overrides: str, message: str) -> None:
    with pytest.raises(BenchError) as error:
        decided(tmp_path, overrides)
    assert message in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["overrides.yaml"]


def test_a_set_that_came_aligned_is_decided_too(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(
        "双方同意。\tBoth agree.\n各国合作。\tPeace lasts.\n和平持久。\tAll work.\n", "utf-8"
    )
    overrides = "pairs: [{zh: [L2s1], en: [L3s1], reason: r}, {zh: [L3s1], en: [L2s1], reason: r}]"
    found = decided(tmp_path, overrides, (tmp_path / "a.tsv",))
    assert [(s.zh, s.en, s.aligned_by) for s in found.segments] == [
        ("双方同意。", "Both agree.", "source"),
        ("各国合作。", "All work.", "override"),
        ("和平持久。", "Peace lasts.", "override"),
    ]
