"""kill -9 at thirty random moments of a run, then on to its end: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import tiny


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks and kills processes")
def test_killed_at_thirty_random_moments(tmp_path: Path) -> None:
    checkpoint, run = tiny.qwen(tmp_path / "checkpoint"), tmp_path / "killed"
    command = [
        sys.executable,
        str(Path(__file__).parents[1] / "helpers" / "killed.py"),
        str(checkpoint),
        str(run),
        "30",
        "7",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["steps"] == sorted(told["steps"]), "what is finished only grows"
    assert told["looks"] > 100, "the store was read all the while"
    assert len(set(told["steps"])) > 5, "the moments were spread over the run"

    record = json.loads((run / "run.json").read_text())
    assert record["work"]["attempts"] > 5
    # The journal counts every segment that was translated and kept, in all attempts together.
    assert record["work"]["segments"] == record["segments"] == 39
    undisturbed = (tmp_path / "undisturbed" / "hypotheses.jsonl").read_bytes()
    assert (run / "hypotheses.jsonl").read_bytes() == undisturbed
    assert not list(run.glob("journal*"))
