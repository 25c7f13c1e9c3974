"""Progress in a log, on a terminal, and quiet."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import progress


def test_progress_in_a_log(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_quiet", False)  # whatever ran before
    with progress.bar("[red]work[/red]", 200, "segments") as advance:
        time.sleep(1.05)
        for _ in range(200):
            advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("[red]work[/red]: 25 % (50 segments of 200 segments), ")
    assert lines[1].startswith("[red]work[/red]: 200 segments in 1.")
    assert len(lines) == 2
    monkeypatch.setattr(progress, "_quiet", True)
    with progress.bar("work", 2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_on_a_terminal(tmp_path: Path) -> None:
    """Two bars at once and a sentence between them, on a terminal of 100 columns."""
    import pty

    code = """
import time
from bench import progress
with progress.bar("outer", 2, "systems") as systems:
    with progress.bar("inner", 0, "bytes") as advance:
        advance(30_000_000, total=60_000_000)
        time.sleep(0.3)
        progress.say("a [sentence]")
    systems()
    time.sleep(0.3)
with progress.bar("next", 1, "bytes") as advance:
    advance(1)
print("result")
"""
    here, there = pty.openpty()
    environment = os.environ | {"COLUMNS": "100", "TERM": "xterm"}
    done = subprocess.Popen(
        [sys.executable, "-c", code], stderr=there, stdout=subprocess.PIPE, env=environment, text=True
    )
    out = done.communicate(timeout=30)[0]
    os.close(there)
    shown = ""
    with contextlib.suppress(OSError):  # the end of a terminal
        while part := os.read(here, 4096):
            shown += part.decode(errors="replace")
    os.close(here)
    assert done.returncode == 0, shown
    assert out == "result\n"
    for text in ("outer", "1 systems of 2 systems", "inner", "30 MB of 60 MB", "a [sentence]\r\n", "next"):
        assert text in shown
