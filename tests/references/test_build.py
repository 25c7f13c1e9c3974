"""`bench references build`: the same set from every format, byte for byte, and no change to the folder on errors."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from bench.errors import BenchError
from bench.references import load
from bench.references.alignment.pipeline import build_segments
from bench.references.build import build
from bench.references.reading.read import read
from bench.references.review.check import check
from bench.references.review.report import DOUBTFUL
from tests.helpers.command import invoke
from tests.helpers.sets import LICENCE, STATEMENT, WHITE_PAPER, built, half, halves, sources, texts

WRITTEN = {"document.yaml", "left_out.jsonl", "report.md", "segments.jsonl", "segments.sha256"}


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Name -> content and time of the last change."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def contents(folder: Path) -> dict[str, bytes]:
    return {name: content for name, (content, _) in files(folder).items()}


def references(*arguments: str | Path) -> Result:
    return invoke("references", *arguments)


# --- the folder ---------------------------------------------------------------------------------------------


def test_committed_set_is_what_the_source_gives_twice(tmp_path: Path) -> None:
    names = {*WRITTEN, "source.txt"}
    for out in (tmp_path / "one", tmp_path / "two"):
        out.mkdir()
        shutil.copy(WHITE_PAPER / "document.yaml", out)
        build([WHITE_PAPER / "source.txt"], WHITE_PAPER.name, out)
        assert contents(out) == {name: (WHITE_PAPER / name).read_bytes() for name in names}


def test_the_licence_is_what_its_source_and_its_decisions_give(tmp_path: Path) -> None:
    """The second published set: two files, overrides.yaml, terms.tsv."""
    out = Path(shutil.copytree(LICENCE, tmp_path / "set"))
    build([], LICENCE.name, out)
    assert load(out).sha256 == load(LICENCE).sha256
    assert contents(out)["left_out.jsonl"] == (LICENCE / "left_out.jsonl").read_bytes()
    counts = check(LICENCE)
    assert counts == counts | {
        "segments": 83,
        "left out": 26,
        "terms": 46,
        "occurrences": 187,
        "rendered": 184,
    }
    assert load(LICENCE).variety == "zh-Hans-CN"


def test_white_paper_needs_no_word_of_document_yaml() -> None:
    source = read([WHITE_PAPER / "source.txt"])
    assert tuple(build_segments(source).segments) == load(WHITE_PAPER).segments


def test_first_build_makes_what_is_missing_and_the_second_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "statement"
    first = build([STATEMENT], "statement", out)
    before = files(out)
    assert set(before) == {*WRITTEN, "source.txt"}
    assert (first.id, first.original_language) == ("statement", "unknown")
    assert first.title == "Joint Statement on Ocean Cooperation (关于海洋合作的联合声明)"
    assert yaml.safe_load(before["document.yaml"][0])["origin"] == "ocean-statement.txt"
    again = build([STATEMENT], "statement", out)
    assert again == first
    assert {name: content for name, (content, _) in before.items()} == contents(out)
    assert files(out)["document.yaml"] == before["document.yaml"]


def test_what_people_wrote_is_not_touched(tmp_path: Path) -> None:
    build([STATEMENT], "statement", tmp_path)
    about = (
        (tmp_path / "document.yaml")
        .read_text("utf-8")
        .replace("published: unknown", "published: 2019-03  # ?")
    )
    (tmp_path / "document.yaml").write_text(about, "utf-8")
    (tmp_path / "overrides.yaml").write_text("alone: [{en: [L33s1], reason: a note}]  # Li\n", "utf-8")
    (tmp_path / "README.md").write_text("ours\n")
    before = files(tmp_path)
    build([STATEMENT], "statement", tmp_path)
    first = contents(tmp_path)
    build([STATEMENT], "statement", tmp_path)
    assert contents(tmp_path) == first
    for name in ("document.yaml", "overrides.yaml", "README.md"):
        assert files(tmp_path)[name] == before[name]
    assert load(tmp_path).published == "2019-03"


def test_a_set_is_rebuilt_from_what_is_kept_of_its_source(tmp_path: Path) -> None:
    table = tmp_path / "a.tsv"
    table.write_text(
        '双方同意。\tBoth agree.\n只有中文。\t\n"“和平”"\t"""Peace"", he said"\n2021\t2021\n\tOnly English.\n',
        "utf-8",
    )
    out = tmp_path / "out"
    for given, kept in [
        ([STATEMENT], {"source.txt"}),
        (halves(tmp_path), {"source.zh.txt", "source.en.txt"}),
        ([table], {"source.tsv"}),
        ([STATEMENT], {"source.txt"}),
    ]:
        one = build(given, "s", out)
        assert set(contents(out)) == WRITTEN | kept  # the source of the build before is gone
        counts = check(out)
        assert build([], "s", out) == one
        assert set(contents(out)) == WRITTEN | kept
        assert check(out) == counts
        assert build([out / name for name in kept], "s", out) == one


@pytest.mark.parametrize("form", ["txt", "tsv"])
def test_a_source_that_is_a_link_out_of_the_set_is_not_read(tmp_path: Path, form: str) -> None:
    document, out = tmp_path / f"secret.{form}", tmp_path / "set"
    document.write_text(
        "中国加入。\tChina joins.\n" if form == "tsv" else STATEMENT.read_text("utf-8"), "utf-8"
    )
    build([document], "x", out)
    (out / f"source.{form}").unlink()
    (out / f"source.{form}").symlink_to(document)
    before = contents(out)
    for read_source in (lambda: build([], "x", out), lambda: check(out)):
        with pytest.raises(BenchError, match="is a link that leads out of"):
            read_source()
    assert contents(out) == before


def test_nothing_is_kept_of_a_set_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="There is no set in"):
        build([], "s", tmp_path)
    (tmp_path / "source.txt").write_text("somebody's own\n")
    with pytest.raises(BenchError, match=r"source\.txt is not part of a set and would be overwritten"):
        build([STATEMENT], "s", tmp_path)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["somebody's own\n"]


def test_ids_stay_where_the_text_stays(tmp_path: Path) -> None:
    text = STATEMENT.read_text("utf-8")
    ids = {s.zh: s.id for s in built(text).segments}
    changed = text.replace("They reviewed", "Both sides reviewed").replace("\n12\n", "\n- 12 -\n")
    assert {s.zh: s.id for s in built(changed).segments} == ids
    (tmp_path / "overrides.yaml").write_text("alone: [{zh: [L27s1], en: [L19s1], reason: a test}]")
    fewer = {s.zh: s.id for s in build([STATEMENT], "statement", tmp_path).segments}
    assert {name for zh, name in ids.items() if fewer.get(zh) != name} == {"1.2-p1-s1", "1.2-p1-s2"}


def test_report_says_what_was_done(tmp_path: Path) -> None:
    build(halves(tmp_path), "statement", tmp_path / "out")
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert report.count("| text | utf-8 | `") == 2
    assert "own copy" not in report
    assert "\n| alignment 1-2 | 2 |\n" in report
    assert (
        "| Note: The English text of this statement was revised on 20 March 2019. | no counterpart" in report
    )
    assert str(tmp_path) not in report
    lines = (tmp_path / "out" / "left_out.jsonl").read_text("utf-8").splitlines()
    assert f"\n| left out | {len(lines)} |\n" in report


# --- what cannot be built -----------------------------------------------------------------------------------

NOISE = random.Random(1).randbytes(5000)
GARBAGE = [
    (NOISE, r"is not a text file|neither UTF-8 nor Chinese"),
    (b"\x7fELF" + NOISE, r"is not a text file|neither UTF-8 nor Chinese"),
    (b"\x89PNG\r\n\x1a\n" + NOISE, r"is not a text file|neither UTF-8 nor Chinese"),
    (b"", "is empty"),
    (b" \r\n\t\n", "nothing but white space"),
    (b"12\n\n13\n\n***\n", "no Chinese text"),
    (b"Only English here.\n", "no Chinese text"),
    ("只有中文。\n".encode(), "no English text"),
    ("Только русский.\n".encode(), "no Chinese text"),
    ("中国为和平而行动。\n\nКитай действует ради мира.\n".encode(), "no English text|No sentence"),
    ("Κίνα 和平。\n".encode("utf-16"), "no Chinese text|no English text"),
    (b"caf\xe9 d\xe9j\xe0 vu\n", "neither UTF-8 nor Chinese"),
]


@pytest.mark.parametrize("there", [False, True], ids=["new", "existing"])
@pytest.mark.parametrize(("data", "message"), GARBAGE, ids=range(len(GARBAGE)))  # type: ignore[arg-type]
def test_garbage_is_refused_and_the_folder_stays(
    tmp_path: Path, data: bytes, message: str, there: bool
) -> None:
    out = tmp_path / "out"
    if there:
        build([STATEMENT], "s", out)
    before = files(out) if there else None
    (tmp_path / "a.txt").write_bytes(data)
    result = references("build", tmp_path / "a.txt", "--id", "s", "--out", out)
    assert result.exit_code == 2
    with pytest.raises(BenchError, match=message) as error:
        build([tmp_path / "a.txt"], "s", out)
    assert result.output.strip().endswith(str(error.value))
    assert (files(out) if out.exists() else None) == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("overrides.yaml", "alone: [{zh: [L999s1], reason: r}]", r"Chinese sentence L999s1, which is not in the source"),
        ("overrides.yaml", "pears: []", r"overrides\.yaml:1: unknown key"),
        ("document.yaml", "id: other\n", "missing required field `title`"),
        ("document.yaml", (WHITE_PAPER / "document.yaml").read_text("utf-8"), "has the id china-export-controls-2021; build with --id"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_person_leaves_the_folder_as_it_was(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    build([STATEMENT], "s", tmp_path)
    (tmp_path / name).write_text(text, "utf-8")
    before = files(tmp_path)
    with pytest.raises(BenchError, match=message):
        build([STATEMENT], "s", tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["", "../s", "a/b", "-x", ".s", "文", "a b"])
def test_an_id_is_the_name_of_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BenchError, match="letters, digits and"):
        build([STATEMENT], name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("there", [False, True], ids=["new", "existing"])
def test_a_full_disc_leaves_the_folder_as_it_was(tmp_path: Path, there: bool) -> None:
    """No file may be larger than 24 kB: the segments do not fit."""
    out = tmp_path / "out"
    if there:
        build([STATEMENT], "s", out)
    before = files(out) if there else {}
    (path,) = sources("climate-white-paper")
    command = f"ulimit -f 24; exec {sys.executable} -m bench references build {path} --id s --out {out}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert done.returncode
    assert "File too large" in done.stderr
    assert (files(out) if out.exists() else {}) == before


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("2021", "2021"),
        ("WTO", "WTO"),
        ("2021年", "2021"),
        ("1.", "1."),
        ("https://www.gov.cn", "https://www.gov.cn"),
    ],
)
@pytest.mark.parametrize("aligned", [True, False], ids=["rows", "text"])
def test_pairs_without_a_word_of_their_language_do_no_harm(
    tmp_path: Path, zh: str, en: str, aligned: bool
) -> None:
    """Such pairs stand in every translation memory, and in every table; nothing in them can be scored."""
    sides = [("双方同意。", zh, "各国合作。"), ("Both agree.", en, "All countries cooperate.")]
    if aligned:
        (tmp_path / "a.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in zip(*sides, strict=True)), "utf-8")
    else:
        for name, side in zip(("a.zh.txt", "a.en.txt"), sides, strict=True):
            (tmp_path / name).write_text("\n\n".join(side) + "\n", "utf-8")
    found = build(sorted(tmp_path.iterdir()), "s", tmp_path / "out")
    assert {("双方同意。", "Both agree."), ("各国合作。", "All countries cooperate.")} <= set(
        texts(found.segments)
    )
    check(tmp_path / "out")


# --- large documents ----------------------------------------------------------------------------------------

ZH = "第{0}条：中国愿同各国一道维护世界和平，促进共同发展，扩大第{0}年的贸易与投资，完善法律制度，加强{0}国合作与交流。"
EN = (
    "Under item {0} China will work with all countries to safeguard world peace, to promote common development, to "
    "expand trade and investment in the year {0}, to improve its laws, and to strengthen exchanges with {0} states. "
)
BUILD = """
import time
from pathlib import Path
from bench.errors import BenchError
from bench.references.build import build
try:
    print(len(build([Path("a.txt")], "a", Path("out")).segments))
except BenchError as error:
    print(error)
print(time.process_time(), int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Each language is one line.
        ("".join(EN.format(n) for n in range(2, 5200)) + "\n" + "".join(ZH.format(n) for n in range(2, 5200)), "5198"),
        # 20,000 lines.
        ("".join(f"In year {n} China will work with all countries to safeguard world peace and common development.\n\n第{n}年，中国愿同各国一道维护世界和平，促进世界各国和各地区的共同发展。\n\n" for n in range(10_000)), "10000"),
        # Nothing to hold on to: no end mark, no space.
        ("peace" * 200_000 + "\n" + "和平" * 170_000, "No sentence has a counterpart"),
        ("-" * 500_000 + "\n" + "peace and " * 50_000 + "\n" + "一" * 300_000, "No sentence has a counterpart"),
    ],
    ids=["two-lines", "20000-lines", "no-marks", "dashes"],
)  # fmt: skip
def test_two_megabytes_in_seconds(tmp_path: Path, text: str, said: str) -> None:
    """Measured on two cores: 6 s and 15 s for the sentences, under 200 MB."""
    (tmp_path / "a.txt").write_text(text, "utf-8")
    assert len(text.encode()) > 1_400_000
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", BUILD],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    first, numbers = done.stdout.splitlines()
    seconds, megabytes = map(float, numbers.split())
    assert first.startswith(said)
    assert seconds < 60  # of this process alone: a busy machine does not change it
    assert megabytes < 500


# --- the commands -------------------------------------------------------------------------------------------


def test_build_and_check_print_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = references("build", STATEMENT, "--id", "ocean-2019")
    assert result.exit_code == 0, result.output
    assert "Written: references/ocean-2019 (report.md lists what was left out)" in result.output
    counts = references("check", "references/ocean-2019")
    assert counts.exit_code == 0
    assert "    15  segments\n" in counts.output
    assert "     1  alignment 2-1\n" in counts.output
    assert counts.output in result.output


def test_build_names_the_doubtful_pairs(tmp_path: Path) -> None:
    zh, en = (read(sources(name)).texts for name in ("food-security", "climate-white-paper"))
    (tmp_path / "zh.txt").write_text(half(zh["both"], "zh"), "utf-8")
    (tmp_path / "en.txt").write_text(half(en["both"], "en"), "utf-8")
    result = references(
        "build", tmp_path / "zh.txt", tmp_path / "en.txt", "--id", "s", "--out", tmp_path / "out"
    )
    assert result.exit_code == 0, result.output
    segments = load(tmp_path / "out").segments
    doubtful = [s for s in segments if s.confidence < DOUBTFUL]
    assert len(doubtful) >= 0.8 * len(segments)  # the texts have nothing to do with each other
    assert (
        f"Confidence below {DOUBTFUL}: {len(doubtful)}, {len(doubtful) - 10} more not shown." in result.output
    )
    worst = min(doubtful, key=lambda s: s.confidence)
    assert worst.confidence >= 0.05
    assert "it hardly translates what stands at its place" in (tmp_path / "out" / "left_out.jsonl").read_text(
        "utf-8"
    )
    assert f"  {worst.confidence:.2f}  {worst.id}\n" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("build", "none.txt", "--id", "s"), "none.txt does not exist: check its name."),
        (("build", STATEMENT, STATEMENT, STATEMENT, "--id", "s"), "3 files were given"),
        (("build", STATEMENT, "--id", "s", "--lexicon", "none.txt"), "Cannot read the dictionary none.txt"),
        (("build", STATEMENT), "Missing option '--id'"),
        (("check", "nowhere"), "No reference set 'nowhere' was built here"),
    ],
)
def test_the_command_line_says_what_is_wrong_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str | Path, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = references(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_texts_that_do_not_translate_each_other_are_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold = Path(__file__).parent / "gold"
    zh, en = (
        [segment.text(language) for segment in build([gold / f"{name}.txt"], name, tmp_path / name).segments]
        for name, language in (("ocean-statement", "zh"), ("climate-white-paper", "en"))
    )
    assert "hardly translate" not in capsys.readouterr().err
    (tmp_path / "zh.txt").write_text("\n\n".join(zh), "utf-8")
    (tmp_path / "en.txt").write_text("\n\n".join(en), "utf-8")
    build([tmp_path / "zh.txt", tmp_path / "en.txt"], "mixed", tmp_path / "mixed")
    assert "hardly translate each other" in capsys.readouterr().err
