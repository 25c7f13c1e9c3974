"""Runs many inputs of one kind, one after the other, in processes that may be killed."""

from __future__ import annotations

import faulthandler
import hashlib
import json
import os
import select
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from tests.fuzz.case import Case
from tests.fuzz.sandbox import HANG_SECONDS, MEMORY_GROWN, Finding, Sandbox

_KILL_SECONDS = 6 * HANG_SECONDS
"""After this time without a report, a process hangs in C, where no signal handler runs."""

_BROKEN = 70
"""Exit status of a process in which the fuzzer itself failed."""


@dataclass
class Campaign:
    """What was run, and what was found."""

    inputs: int = 0
    seconds: float = 0.0
    findings: Counter[str] = field(default_factory=Counter)
    """What was found -> number of inputs that show it."""


def run(
    cases: SearchStrategy[Case], count: int, first_seed: int, root: Path, save: Callable[[Finding, str], None]
) -> Campaign:
    """Run `count` different inputs, fewer if there are no more. `save` gets each finding and its input as JSON.

    A process ends when it hangs, dies, or has grown; the next one goes on with another seed.
    """
    campaign, began, number = Campaign(), time.monotonic(), first_seed
    while (done := campaign.inputs) < count:
        for findings in _process(cases, count - done, number, root, save):
            campaign.inputs += 1
            campaign.findings.update(findings)
        if campaign.inputs == done:
            break
        number += 1
    campaign.seconds = time.monotonic() - began
    return campaign


def _process(
    cases: SearchStrategy[Case], count: int, number: int, root: Path, save: Callable[[Finding, str], None]
) -> Iterator[list[str]]:
    """Yields what was found, for each input that a process of its own runs."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            _redirect(root / "output.txt")
            _work(cases, count, number, root, save, os.fdopen(writer, "w", 1))
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(_BROKEN)
    os.close(writer)
    problem = ""
    with os.fdopen(reader, "rb", 0) as pipe:
        unread = b""
        while not problem:
            if not select.select([pipe], [], [], _KILL_SECONDS)[0]:
                os.kill(child, signal.SIGUSR1)  # writes the stacks into output.txt
                time.sleep(1)
                os.kill(child, signal.SIGKILL)
                problem = f"hang of {_KILL_SECONDS} s in C"
            elif not (chunk := pipe.read(65536)):
                break
            else:
                *lines, unread = (unread + chunk).split(b"\n")
                yield from map(json.loads, lines)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) == _BROKEN:
        raise RuntimeError(f"The fuzzer itself failed: {(root / 'output.txt').read_text('utf-8', 'replace')}")
    if problem or status:
        problem = problem or f"the process died with status {status}"
        save(
            Finding(problem, (root / "output.txt").read_text("utf-8", "replace")[-4000:]),
            _current(root).read_text(),
        )
        yield [problem]


def _redirect(output: Path) -> None:
    """Standard streams that no command can disturb the terminal with."""
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(path, flags, 0o600), number)
    os.dup2(1, 2)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)


def _work(
    cases: SearchStrategy[Case],
    count: int,
    number: int,
    root: Path,
    save: Callable[[Finding, str], None],
    pipe: IO[str],
) -> None:
    """In the process: run the inputs, and report each as a line."""
    sandbox = Sandbox(root / "sandbox")

    def one(case: Case) -> None:
        _current(root).write_text(case.to_json())
        findings = sandbox.run(case)
        for finding in findings:
            save(finding, case.to_json())
        print(json.dumps([finding.what for finding in findings]), file=pipe)
        if any(finding.what == MEMORY_GROWN for finding in findings):
            os._exit(0)

    options = settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(options(given(cases)(one)))()


def _current(root: Path) -> Path:
    """The file with the input that runs."""
    return root / "current.json"


def saver(folder: Path, kind: str) -> Callable[[Finding, str], None]:
    """Writes the smallest input that shows a finding into a file of `folder`."""

    def save(finding: Finding, case: str) -> None:
        path = saved(folder, kind, finding.what)
        if not path.exists() or path.stat().st_size > len(case):
            path.write_text(case)
            path.with_suffix(".txt").write_text(
                f"{finding.what}\n\n{finding.details}\n", errors="backslashreplace"
            )

    return save


def saved(folder: Path, kind: str, what: str) -> Path:
    return folder / f"{kind}-{hashlib.sha256(what.encode()).hexdigest()[:8]}.json"
