"""`bench verify`, `publish` and `compare` of a folder that a stranger made: nothing in it is run, nothing is
written outside, nothing waits for ever, and everything wrong ends in a sentence or a finding."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from tempfile import gettempdir
from typing import Any

import pytest
from click.testing import Result

from bench import progress
from bench.checkpoints.cache import cache_dir
from bench.core import Score
from bench.errors import BenchError
from bench.scoring.compare import compare
from bench.store import read_run
from tests.helpers.command import invoke

ID = "china-export-controls-2021"
SYSTEMS = ("copy", "dictionary")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published results of two systems."""
    folder = tmp_path_factory.mktemp("stranger")
    words = ["run", "-q", f"store={folder / 'results'}", f"system={','.join(SYSTEMS)}", "metric=[chrf]"]
    assert invoke(*words).exit_code == 0
    (folder / "results" / "README.md").write_text("<!-- board -->\n<!-- /board -->\n")
    assert invoke("publish", "--into", folder / "results").exit_code == 0
    return folder / "results"


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project" / "results"))


# What a command wrote

_DELETES = {"os.remove", "os.rmdir"}
_WRITES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "shutil.move",
}
_watching: list[set[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        mode, flags = arguments[1], arguments[2] or 0
        if (isinstance(mode, str) and set("wax+") & set(mode)) or flags & (
            os.O_WRONLY | os.O_RDWR | os.O_CREAT
        ):
            _watching[-1].add(os.fsdecode(arguments[0]))
    elif event in _DELETES and arguments[-1] != -1:
        pass  # relative to an open folder: a temporary folder is cleared
    elif event in _WRITES and isinstance(arguments[0], (str, bytes, os.PathLike)):
        _watching[-1].add(os.fsdecode(arguments[0]))
    elif event in ("subprocess.Popen", "os.system", "os.exec"):
        _watching[-1].add(f"process: {arguments[0]}")


sys.addaudithook(_watch)


@contextmanager
def writes() -> Iterator[set[str]]:
    """The paths that are written meanwhile, and the processes that are started."""
    _watching.append(set())
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


def harmless(path: str) -> bool:
    """Whether `bench verify` may write there: its own temporary folder, caches of the user, devices."""
    scratch = os.path.join(gettempdir(), "bench-verify-")
    allowed = (scratch, str(cache_dir()), "/dev/")
    return os.path.abspath(path).startswith(allowed) or "__pycache__" in path or path.endswith(".pyc")


def state(folder: Path) -> dict[str, Any]:
    """Everything in a folder, without opening what cannot be read."""
    contents: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        is_small = S_ISREG(info.st_mode) and info.st_size < 10**8
        contents[str(path)] = path.read_bytes() if is_small else (info.st_mode, info.st_ino, info.st_size)
    return contents


def said(result: Result) -> str:
    return " ".join(result.output.replace("│", " ").split())


def attack(results: Path, *, refused: bool = True) -> str:
    """Run the three commands on a folder; what `verify` says. `refused`: it must find something."""
    before = state(results)
    with writes() as written:
        verified = invoke("verify", results)
        compared = invoke("compare", *SYSTEMS, "--store", results, "--segments", "1")
    assert [path for path in written if not harmless(path)] == []
    assert state(results) == before, "verify and compare change nothing"
    with writes() as written:
        published = invoke("publish", "--into", results)
    root = str(results.parent)
    outside = [path for path in written if not harmless(path) and not os.path.abspath(path).startswith(root)]
    assert outside == []
    for result in (verified, compared, published):
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code in (0, 2), result.output
        assert "Traceback" not in result.output
    assert verified.exit_code == (2 if refused else 0), said(verified)
    return said(verified)


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    record = json.loads(path.read_text())
    record = change(record) or record
    path.write_text(json.dumps(record))


def leaderboard(results: Path) -> Path:
    return results / ID / "leaderboard.json"


def run(results: Path, system: str = "copy") -> Path:
    (path,) = (results / ID / "zh-en").glob(f"{system}-*/run.json")
    return path.parent


def with_metrics(results: Path, metrics: list[str]) -> None:
    """Rename the boards' metric, which has scores of that name, to `metrics`."""

    def change(record: Any) -> None:
        for board in record["directions"].values():
            board["sorted_by"] = metrics[0]
            for row in board["rows"]:
                row["scores"] = {metric: row["scores"].get("chrf") for metric in metrics}

    rewrite(leaderboard(results), change)


# Code


_CODE = """\
# @package metric.x
_target_: pathlib.Path.write_text
_args_: [{_target_: pathlib.Path, _args_: [%s]}, owned]
"""


@pytest.mark.parametrize("name", ["../../x", "x", "chrf,x", "chrf]", "x@metric.chrf", "${oc.env:HOME}", ""])
def test_a_name_of_a_metric_chooses_no_code(results: Path, tmp_path: Path, name: str) -> None:
    """The proven attack: a yaml file of the folder, named by the folder's leaderboard."""
    marker = tmp_path / "owned"
    for folder in (results, results / ID, results.parent, results / "metric", tmp_path):
        folder.mkdir(exist_ok=True)
        (folder / "x.yaml").write_text(_CODE % marker)
    with_metrics(results, [name])
    attack(results)
    assert not marker.exists()


def test_a_metric_of_the_users_own(results: Path, tmp_path: Path) -> None:
    """It is computed only if the user names its folder."""
    own = tmp_path / "own" / "metric" / "mine.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("# @package metric.mine\n_target_: bench.scorers.sacre.Sacre\nmetric: BLEU\n")
    words = ["run", "-q", f"store={results}", f"system={','.join(SYSTEMS)}", "metric=[chrf,mine]"]
    assert invoke(*words, "--config-dir", own.parent.parent).exit_code == 0
    assert "The metric mine is not known here" in said(invoke("verify", results))
    assert "The metric mine is not known here" in said(invoke("publish", "--into", results))
    for command in (["publish", "--into"], ["verify"]):
        result = invoke(*command, results, "--config-dir", own.parent.parent)
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "origin",
    [
        "${oc.env:HOME}",
        'x" metric={_target_:os.abort} "',
        "/dev/zero",
        "../../../../../../etc/passwd",
        "sacrebleu:../../x/zh-en",
        "sacrebleu:wmt22/zh-en/../../x",
        "a\u0000b",
        "a" * 5000,
        "~nobody-at-all/x",
        "-h",
    ],
)
def test_an_origin_is_only_read(results: Path, origin: str) -> None:
    def change(record: Any) -> None:
        record["reference"]["origin"] = origin

    for path in results.glob("*/*/*/run.json"):
        rewrite(path, change)
    attack(results)


def test_parallel_files_that_lead_out(results: Path, tmp_path: Path) -> None:
    (results / ID / "reference").mkdir()
    for language, text in (("zh", "中文句子。\n"), ("en", "An English sentence.\n")):
        (tmp_path / f"secret.{language}").write_text(text)
        (results / ID / "reference" / f"{ID}.{language}").symlink_to(tmp_path / f"secret.{language}")
    assert "is a link that leads out" in attack(results)


# Files


FILES: dict[str, Callable[[Path], Path]] = {
    "run.json": lambda results: run(results) / "run.json",
    "hypotheses": lambda results: run(results) / "hypotheses.jsonl",
    "score": lambda results: run(results) / "scores" / "chrf.json",
    "comparisons": lambda results: results / ID / "zh-en" / "comparisons" / "chrf.json",
    "leaderboard.json": leaderboard,
    "leaderboard.md": lambda results: results / ID / "leaderboard.md",
    "site": lambda results: results / ID / "site" / "data" / "site.js",
    "page": lambda results: results / "README.md",
    "failure": lambda results: run(results) / "failure.json",
    "journal": lambda results: run(results) / "journal-x.jsonl",
    "parallel": lambda results: results / ID / "reference" / f"{ID}.zh",
}


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(data))


def void(_: object) -> None:
    return None


KINDS: dict[str, Callable[[Path], None]] = {
    "fifo": _fifo,
    "device": _link("/dev/zero"),
    "link out": _link("/etc/hostname"),
    "dangling": _link("nowhere"),
    "loop": lambda path: path.symlink_to(path),
    "folder": Path.mkdir,
    "large": _large,
    "empty": _bytes(b""),
    "list": _bytes(b"[]"),
    "null": _bytes(b"null"),
    "object": _bytes(b"{}"),
    "surrogate": _bytes(b'{"error": "\\ud800", "directions": {"zh-en": {}}, "metric": "\\udfff"}\n'),
    "nan": _bytes(b'{"value": NaN}\n'),
    "not UTF-8": _bytes(b'{"error": "\xff"}\n'),
    "nested": _bytes(b"[" * 100_000),
    "nested object": _bytes(b'{"made":' * 900 + b"1" + b"}" * 900),
    "huge number": _bytes(b'{"format": 1' + b"0" * 5000 + b"}\n"),
}


UNREADABLE = ("fifo", "device", "link out", "loop", "folder", "large", "not UTF-8")


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_kind(results: Path, tmp_path: Path, file: str) -> None:
    for kind, make in KINDS.items():
        copy = Path(shutil.copytree(results, tmp_path / kind / "results"))
        path = FILES[file](copy)
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        make(path)
        # A page without marks for a board shows none, and an empty folder more is no difference.
        harmless_text = file == "page" and kind not in UNREADABLE
        attack(copy, refused=not harmless_text and (file, kind) != ("journal", "folder"))


def test_folders_that_are_links(results: Path, tmp_path: Path) -> None:
    outside = Path(shutil.copytree(run(results), tmp_path / "outside"))
    shutil.rmtree(run(results))
    (results / ID / "zh-en" / "copy-f30f2085").symlink_to(outside)
    attack(results)


# Numbers and names


def _set(*path: str, value: Any) -> Callable[[Any], Any]:
    def change(record: Any) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = value

    return change


NUMBERS: list[Any] = [-1, 10**30, "1", None, []]
FIELDS: dict[str, list[tuple[str, ...]]] = {
    "run.json": [
        ("segments",),
        ("fell_back",),
        ("flags", "copied"),
        ("flags", "__proto__"),
        ("identity",),
        ("direction",),
        ("hypotheses_sha256",),
        ("system", "name"),
        ("reference", "id"),
        ("reference", "sha256"),
        ("reference", "granularity"),
        ("work", "seconds"),
        ("work", "tokens_in"),
        ("work", "device"),
        ("work", "segments_per_second"),
    ],
    "score": [
        ("value",),
        ("interval",),
        ("decimals",),
        ("segments",),
        ("statistics",),
        ("spans",),
        ("remarks",),
        ("unscored",),
        ("aggregation",),
        ("signature",),
        ("metric",),
    ],
    "comparisons": [("trials",), ("units",), ("test",), ("unit",), ("pairs",), ("ranks",)],
    "leaderboard.json": [
        ("format",),
        ("directions",),
        ("directions", "zh-en"),
        ("directions", "zh-en", "rows"),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "field"), [(file, field) for file, fields in FIELDS.items() for field in fields]
)
def test_a_value_out_of_range(results: Path, file: str, field: tuple[str, ...]) -> None:
    """It is found, or it changes nothing that is shown."""
    path = FILES[file](results)
    whole = path.read_bytes()
    for value in NUMBERS:
        rewrite(path, _set(*field, value=value))
        before = state(results)
        for words in (["verify", results], ["compare", *SYSTEMS, "--store", results]):
            result = invoke(*words)
            assert result.exception is None or isinstance(result.exception, SystemExit), (value, words)
            assert result.exit_code in (0, 2), result.output
        assert state(results) == before
        path.write_bytes(whole)


SCORES: dict[str, Callable[[Any], Any]] = {
    "decimals": _set("decimals", value=10**9),
    "too few segments": lambda score: score["segments"].pop(),
    "statistics of another width": lambda score: score["statistics"][0].pop(),
    "statistics of another metric": _set("aggregation", value="bleu"),
    "a large statistic": lambda score: score["statistics"][0].__setitem__(0, 10**300),
    "a large value": _set("value", value=1e300),
    "a remark on no segment": _set("remarks", value=[[39, "cut"]]),
    "a span outside": _set("spans", value=[[[0, 10**6, "minor", 0.5, ""]]] * 39),
    "a backward span": _set("spans", value=[[[5, 2, "minor", 0.5, ""]]] * 39),
}


@pytest.mark.parametrize("change", SCORES.values(), ids=SCORES)
def test_a_score_that_cannot_be_one(results: Path, change: Callable[[Any], Any]) -> None:
    path = run(results) / "scores" / "chrf.json"

    def wrong(score: Any) -> None:
        for spans in (change(score), score)[1]["spans"]:
            for n, (start, end, severity, confidence, category) in enumerate(spans):
                names = {"start": start, "end": end, "severity": severity}
                spans[n] = {**names, "confidence": confidence, "category": category}

    rewrite(path, wrong)
    assert "is damaged" in attack(results)


def test_hypotheses_with_their_hash_but_out_of_range(results: Path) -> None:
    for wrong in ({"text": "长" * 1_000_001}, {"tokens_in": -1}, {"tokens_out": 10**13}, {"key": "k" * 3000}):
        path = run(results) / "hypotheses.jsonl"
        lines = path.read_text().splitlines()
        path.write_text("\n".join([json.dumps({**json.loads(lines[0]), **wrong}), *lines[1:]]) + "\n")
        rewrite(
            path.with_name("run.json"), _set("hypotheses_sha256", value=sha256(path.read_bytes()).hexdigest())
        )
        said = attack(results)
        assert "do not verify" in said or "is not a hypothesis" in said
        path.write_text("\n".join(lines) + "\n")


def test_deeply_nested_settings(results: Path) -> None:
    def change(record: Any) -> None:
        for _ in range(200):
            record["adapter"] = {"a": record["adapter"]}

    rewrite(run(results) / "run.json", change)
    assert "nested too deeply" in attack(results)


# Amounts


def test_ten_thousand_metrics(results: Path) -> None:
    with_metrics(results, [f"m{n}" for n in range(10_000)])
    assert "10,000 metrics: 50 are the limit" in attack(results)


def test_a_set_of_a_million_segments(results: Path) -> None:
    rewrite(run(results) / "run.json", _set("segments", value=10**6))
    assert "<= 200000" in attack(results)


def test_trials_of_a_stranger(results: Path) -> None:
    rewrite(results / ID / "zh-en" / "comparisons" / "chrf.json", _set("trials", value=10**9))
    assert "trials is not from 1 to 1,000,000" in attack(results)


def test_too_many_tests_name_the_setting() -> None:
    score = Score("m", 1.0, None, "m", (1.0, 0.0, 2.0))
    for systems, trials, test in (
        (300, 1_000_000, "randomisation"),
        (2, 10**9, "bootstrap"),
        (100, 10**6, "bootstrap"),
    ):
        with pytest.raises(BenchError, match=r"set compare\.trials to a smaller number"):
            compare({f"s{n}": score for n in range(systems)}, test, trials)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_hundred_thousand_runs(results: Path) -> None:
    for n in range(100_000):
        (results / ID / "zh-en" / f"r{n}").mkdir()
    result = invoke("verify", results)
    assert result.exit_code == 2
    assert "runs: 20,000 are the limit" in said(result)


def test_a_page_of_marks(results: Path) -> None:
    """Looking for the end of each of them would take hours, and each could become a board."""
    for text in (
        "<!-- board\n" * 300_000 + "<!-- board -->\n" * 11,
        "<!-- board -->\n<!-- /board -->\n" * 11,
    ):
        (results / "README.md").write_text(text)
        assert "more than 10 marks <!-- board -->" in attack(results)
    (results / "README.md").write_text("<!-- board\n" * 300_000 + "<!-- board -->\n" * 9)
    attack(results, refused=False)


def test_more_hypotheses_than_run_json_says(results: Path) -> None:
    path = run(results) / "hypotheses.jsonl"
    path.write_bytes(path.read_bytes() + b"\n" * 300_000)
    rewrite(
        path.with_name("run.json"), _set("hypotheses_sha256", value=sha256(path.read_bytes()).hexdigest())
    )
    stored = read_run(path.parent)
    assert stored
    with pytest.raises(BenchError, match=r"300,039 hypotheses and run\.json says 39"):
        stored.hypotheses()
    attack(results)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["comparisons", "leaderboard.json"])
def test_a_small_file_with_many_values(results: Path, file: str) -> None:
    """Each of them would take thirty times its bytes."""
    path = FILES[file](results)

    def change(record: Any) -> None:
        if file == "leaderboard.json":
            record = record["directions"]["zh-en"]["rows"][0]
        key = next(key for key in ("segments", "pairs", "scores") if key in record)
        record[key] = {"chrf": "VALUES"}

    rewrite(path, change)
    values = b"{}," * 6_000_001
    path.write_bytes(path.read_bytes().replace(b'"VALUES"', b"[%s0]" % values))
    said = attack(results)
    assert "000,000 values, the limit here" in said or "larger than" in said


def test_digits_without_an_end(results: Path) -> None:
    (results / ID / "leaderboard.csv").write_text("1" * 1_000_000)
    assert "leaderboard.csv" in attack(results)


def test_cheap_faults_of_every_set_come_first(results: Path) -> None:
    """A set that cannot be read does not hide the others, and all are listed."""
    for name in ("a", "z"):
        (results / name).mkdir()
        (results / name / "leaderboard.json").write_text("{")
    text = attack(results)
    assert text.count("is damaged") == 2
    assert "4 runs, 4 scores" in text


def test_the_work_is_announced(results: Path) -> None:
    progress.configure(quiet=False)
    result = invoke("verify", results)
    assert "To recompute: 4 scores of 4 runs on 1 reference set, some" in said(result)
