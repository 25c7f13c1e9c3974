"""overrides.yaml: valid decisions are read exactly, and errors name their line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.references.overrides import Overrides, Pair, read

GOOD = """\
# Applied by `bench references build`. Sentences are named as the review page names them.
pairs:        # these sentences translate each other, whatever the rules say; one group each
  - {zh: [L103s2], en: [L89s3, L89s4], reason: the English cuts the sentence in two}
alone:        # no counterpart: left out of the set
  - {zh: [L95s2], reason: explains a Chinese short name}
  - zh: [L95s3]
    en: [L95s2]
    reason: >
      each is a note
      to its own readers
leave_out:    # whole source lines that are no text of the document (before anything else)
  - {lines: [7, 9], reason: header of another document}
  - {lines: [12], side: en, reason: "a stamp: “copy”"}
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "overrides.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_what_is_decided(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert read(tmp_path) == Overrides(
        pairs=(Pair(("L103s2",), ("L89s3", "L89s4"), "the English cuts the sentence in two"),),
        alone={
            ("zh", "L95s2"): "explains a Chinese short name",
            ("zh", "L95s3"): "each is a note to its own readers",
            ("en", "L95s2"): "each is a note to its own readers",
        },
        leave_out={
            ("both", 7): "header of another document",
            ("both", 9): "header of another document",
            ("en", 12): "a stamp: “copy”",
        },
    )
    assert read(str(tmp_path)) == read(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "---\n", "~", "{}", "pairs:\nalone: []\nleave_out:\n", "\ufeff{}\r\n"]
)
def test_an_empty_file_decides_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path) == Overrides()
    write(tmp_path, text)
    assert read(tmp_path) == Overrides()


def test_an_alias_is_only_the_same_words_again(tmp_path: Path) -> None:
    write(tmp_path, "alone: [{zh: [L1s1], reason: &why a note}, {en: [L1s1], reason: *why}]")
    assert set(read(tmp_path).alone.values()) == {"a note"}


def test_two_files_need_a_side(tmp_path: Path) -> None:
    (tmp_path / "source.zh.txt").touch()
    write(tmp_path, "leave_out:\n- {lines: [3], side: zh, reason: a}\n- {lines: [3], side: en, reason: b}\n")
    assert read(tmp_path).leave_out == {("zh", 3): "a", ("en", 3): "b"}
    write(tmp_path, "leave_out:\n- {lines: [3], side: zh, reason: a}\n- {lines: [4], reason: b}\n")
    with pytest.raises(BenchError, match=r":3: the source is two files and the side is missing; .*side: zh"):
        read(tmp_path)


PAIR = "{zh: [L1s1], en: [L2s1], reason: a}"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\npair: []", 2, "unknown key `pair`; use pairs, alone, split, correct and leave_out only"),
        ("- pairs", 1, "this is `- pairs` and not a mapping"),
        ("? [pairs]\n: []", 1, "unknown key"),
        ("alone:\npairs:\nalone:", 3, "the key 'alone' appears twice"),
        (f"pairs: {PAIR}", 1, "not a list; begin each entry with `- `"),
        ("pairs: 3", 1, "pairs is `3` and not a list"),
        ("pairs:\n- L1s1", 2, "this is `L1s1` and not a mapping; write an entry of pairs as `{zh: "),
        ("pairs:\n-\n- L1s1", 2, "this is empty and not a mapping"),
        ("pairs:\n- {zh: [L1s1], reason: a}", 2, "en is missing"),
        ("pairs:\n- {zh: [L1s1], en: [], reason: a}", 2, "en is `[]` and not a list with at least one entry"),
        ("pairs:\n- {zh: L1s1, en: [L1s1], reason: a}", 2, "zh is `L1s1` and not a list"),
        (
            "pairs:\n- zh: [L1s1]\n  en: [L1s1, l1s2]\n  reason: a",
            3,
            "en contains `l1s2`, which is not the name of a sentence",
        ),
        ("pairs:\n- {zh: [L1s0], en: [L1s1], reason: a}", 2, "`L1s0`"),
        ("pairs:\n- {zh: [L１s1], en: [L1s1], reason: a}", 2, "`L１s1`"),
        ("pairs:\n- {zh: [[L1s1]], en: [L1s1], reason: a}", 2, "`[L1s1]`"),
        ("pairs:\n- {zh: [7], en: [L1s1], reason: a}", 2, "`7`"),
        ("pairs:\n- {zh: [L1s1], en: [L1s1], reason: a, side: zh}", 2, "unknown key `side`"),
        ("pairs:\n- {zh: [L1s1], zh: [L1s2], en: [L1s1], reason: a}", 2, "the key 'zh' appears twice"),
        (f"pairs:\n- {PAIR}\n- {PAIR}", 3, "zh L1s1 is already on line 2; keep one of the two"),
        (f"alone:\n- {{en: [L2s1], reason: a}}\npairs:\n- {PAIR}", 2, "en L2s1 is already on line 4"),
        ("alone:\n- {zh: [L1s1, L1s1], reason: a}", 2, "zh L1s1 is already on line 2"),
        ("alone:\n- {reason: a}", 2, "zh and en are both missing"),
        ("alone:\n- {zh: [L1s1]}", 2, "the reason is missing"),
        ("alone:\n- {zh: [L1s1], reason: }", 2, "the reason is empty and not a line of text"),
        ("alone:\n- {zh: [L1s1], reason: ' '}", 2, "not a line of text"),
        ("alone:\n- {zh: [L1s1], reason: 3}", 2, "the reason is `3`"),
        ("alone:\n- {zh: [L1s1], reason: [a]}", 2, "the reason is `[a]`"),
        ('alone:\n- {zh: [L1s1], reason: "\\uD800"}', 2, "not a line of text"),
        ('alone:\n- {zh: [L1s1], reason: "\\0"}', 2, "not a line of text"),
        ("leave_out:\n- {lines: [0], reason: a}", 2, "lines contains `0`, which is not a line number"),
        ("leave_out:\n- {lines: [012], reason: a}", 2, "`012`"),
        ("leave_out:\n- {lines: ['7'], reason: a}", 2, "`'7'`"),
        ("leave_out:\n- {lines: [true], reason: a}", 2, "`true`"),
        ("leave_out:\n- {lines: [7.0], reason: a}", 2, "`7.0`"),
        ("leave_out:\n- {lines: 7, reason: a}", 2, "lines is `7` and not a list"),
        ("leave_out:\n- {lines: [], reason: a}", 2, "lines is `[]`"),
        ("leave_out:\n- {lines: [7], side: both, reason: a}", 2, "side is `both` and not zh or en"),
        ("leave_out:\n- {lines: [7], side: [zh], reason: a}", 2, "side is `[zh]`"),
        (
            "leave_out:\n- {lines: [7], reason: a}\n- {lines: [7], side: en, reason: a}",
            3,
            "en line 7 is already on line 2",
        ),
        # Not YAML, or YAML that would do more than hold text.
        ("pairs: [\n", 2, "not valid YAML"),
        ("a\n---\nb", 2, "not valid YAML (but found another document)"),
        ("pairs: *a", 1, "not valid YAML (found undefined alias 'a')"),
        ("\npairs: \x01", 2, "contains a control character"),
        (b"pairs:\n- \xff", 2, "not UTF-8"),
        ("x: &x {zh: [L1s1]}\npairs: [{<<: *x, reason: a}]", 1, "unknown key `x`"),
        (f"pairs:\n- {{<<: {PAIR}, reason: a}}", 2, "unknown key `<<`"),
        ("pairs: &a [*a]", 1, "and not a mapping"),
        ("alone: !!python/object/apply:os.system ['false']", 1, "and not a mapping"),
    ],
)
def test_names_the_line(tmp_path: Path, text: str | bytes, line: int, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BenchError) as error:
        read(tmp_path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert message in str(error.value)


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
        ("[" * 20_000, "nested too deeply"),
        (BOMB, "unknown key `a`"),
        (BOMB + "pairs: *i\n", "unknown key `a`"),
    ],
)  # fmt: skip
def test_bombs_are_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(BenchError, match=message):
        read(tmp_path)


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "overrides.yaml").mkdir()
    with pytest.raises(BenchError, match=r"is a folder: make it a readable file or remove it"):
        read(tmp_path)
