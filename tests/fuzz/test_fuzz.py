"""2,000 inputs of the fuzzer, the same ones each time; and that it sees what it looks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.case import Case
from tests.helpers.outside import write_parallel_files

ROOT = Path(__file__).parents[2]


def fuzz(*arguments: object) -> subprocess.CompletedProcess[str]:
    """In a process of its own: it forks, and its audit hook stays."""
    command = [sys.executable, "-m", "tests.fuzz", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_two_thousand_inputs(tmp_path: Path) -> None:
    done = fuzz("--inputs", 2000, "--seed", 1, "--into", tmp_path)
    details = [path.read_text() for path in tmp_path.glob("*.txt")]
    assert done.returncode == 0, "\n\n".join([done.stdout, done.stderr, *details])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("out", "finding"), [("out", "os.mkdir of work/…/out"), ("../outside", "writes outside/…/.tmp")]
)
def test_what_is_not_allowed_is_found(tmp_path: Path, out: str, finding: str) -> None:
    write_parallel_files(tmp_path / "set")
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    case = Case(("references", "export", "set", "--out", out), files, writes=())
    (tmp_path / "case.json").write_text(case.to_json())
    done = fuzz("--repeat", tmp_path / "case.json")
    assert done.returncode == 1, done.stderr
    assert finding in done.stdout
