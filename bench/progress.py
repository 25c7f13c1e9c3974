"""Progress of long work on standard error: a bar on a terminal, a few plain lines in a log, nothing when quiet.

Standard output stays free for results.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

T = TypeVar("T")
_WORTH_A_BAR = 5000
_QUARTER_GAP, _LONGEST_GAP = 1.0, 30.0  # seconds between two plain lines: at least, at most

_quiet = False
_lock = threading.Lock()
_display: Progress | None = (
    None  # rich draws one live display at a time, so bars that are open at once share it
)


class Advance(Protocol):
    def __call__(self, n: int = 1, *, total: int = 0) -> None:
        """`n` more are done; `total` corrects the whole where only the work itself shows how much it is."""
        ...


def configure(*, quiet: bool) -> None:
    """Say whether this process shows progress.

    Called once per process: by the command, or, in a process that a launcher started, before its job begins.
    """
    global _quiet
    _quiet = quiet


def is_quiet() -> bool:
    """True if only warnings are shown."""
    return _quiet


def say(sentence: str, warning: bool = False) -> None:
    """One plain line on standard error, above a bar that may be open."""
    if _quiet and not warning:
        return
    _console().print(sentence, soft_wrap=True)


@contextmanager
def bar(label: str, total: int = 0, unit: str = "") -> Iterator[Advance]:
    """Shows how far `label` has come, counted in `unit` ("bytes" are shown as MB); `total` 0 where it is not known yet."""
    if _quiet:
        yield lambda n=1, *, total=0: None
    elif _console().is_terminal:
        yield from _drawn(label, total, unit)
    else:
        yield from _written(label, total, unit)


def watch(label: str, items: Iterable[T], total: int, unit: str) -> Iterator[T]:
    """`items` under a bar, where there are so many that somebody would wait for them."""
    if total < _WORTH_A_BAR:
        yield from items
        return
    with bar(label, total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def _drawn(label: str, total: int, unit: str) -> Iterator[Advance]:
    global _display
    with _lock:
        outermost = _display is None
        display = _display = _display or _new_display()
        task = display.add_task(label, total=total or None, unit=unit)

    def advance(n: int = 1, *, total: int = 0) -> None:
        display.update(task, advance=n, total=total or None)

    display.start()
    try:
        yield advance
    finally:
        with _lock:
            if outermost:
                display.stop()
                _display = None
            else:
                display.remove_task(task)  # only the outermost bar stays on the screen when it is done


def _written(label: str, total: int, unit: str) -> Iterator[Advance]:
    start = time.monotonic()
    done, shown, last = 0, 0, start

    def advance(n: int = 1, *, total: int = total) -> None:
        nonlocal done, shown, last
        with _lock:
            done += n
            now = time.monotonic()
            quarter = 4 * done // total if total else 0
            due = shown < quarter < 4 and now - last >= _QUARTER_GAP
            if not (due or now - last >= _LONGEST_GAP):
                return
            shown, last = quarter, now
            amount = (
                f"{100 * done // total} % ({_amount(done, unit)} of {_amount(total, unit)})" if total else ""
            )
            left = f", {_clock((now - start) * (total - done) / done)} left" if total and done else ""
            say(f"{label}: {amount or _amount(done, unit)}{left}")

    yield advance
    seconds = max(time.monotonic() - start, 1e-3)
    say(f"{label}: {_amount(done, unit)} in {_clock(seconds)} ({_amount(done / seconds, unit)}/s)")


@functools.cache
def _console() -> Console:
    from rich.console import Console  # here, so that importing bench stays fast

    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def _new_display() -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Done(ProgressColumn):
        def render(self, task: Task) -> Text:
            unit, speed = task.fields["unit"], task.finished_speed or task.speed
            whole = f" of {_amount(task.total, unit)}" if task.total else ""
            return Text(
                _amount(task.completed, unit) + whole + (f", {_amount(speed, unit)}/s" if speed else "")
            )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        Done(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=_console(),
        redirect_stdout=False,  # results written meanwhile must not land on standard error
    )


def _amount(n: float, unit: str) -> str:
    if unit == "bytes":
        return f"{n / 1e6:.0f} MB" if n >= 1e7 else f"{n / 1e6:.1f} MB"
    number = f"{n:.0f}" if n >= 10 or n == int(n) else f"{n:.1f}"
    return f"{number} {unit}".rstrip()


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{int(seconds) // 60} min {int(seconds) % 60} s"
