"""Progress of long work on standard error: a bar on a terminal, a few lines in a log, nothing if quiet.

Standard output stays free for results.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

from bench.escaping import terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class Advance(Protocol):
    def __call__(self, n: int = 1, *, total: int = 0) -> None:
        """Report that `n` more units are done. `total` sets the total number once the work knows it."""
        ...


T = TypeVar("T")
_MIN_ITEMS = 5000
"""`watch` shows no bar for fewer items."""
_MIN_GAP = 1.0
"""Seconds between two lines in a log, at least: a line appears after each quarter of the work."""
_MAX_GAP = 30.0
"""Seconds after which a line appears in any case."""

_quiet = False
_lock = threading.Lock()
_display: Progress | None = None
"""rich draws one live display at a time, so bars that are open at the same time share it."""
_overall: tuple[str, Advance] | None = None
"""The unit of the bar for all the work of a command, and the function that advances it."""


def configure(*, quiet: bool) -> None:
    """Say whether this process shows progress, and what libraries log below the level of an error.

    Called once per process: by the command, or, in a process that a launcher started, before its job begins.
    """
    global _quiet
    _quiet = quiet
    logging.disable(logging.WARNING if quiet else logging.NOTSET)
    if quiet:
        warnings.simplefilter("ignore")


def is_quiet() -> bool:
    """True if only our own warnings are shown."""
    return _quiet


def say(sentence: str, warning: bool = False) -> None:
    """Print one line on standard error, above any open bar. A quiet process prints only warnings."""
    if _quiet and not warning:
        return
    _console().print(terminal(sentence), soft_wrap=True)


@contextmanager
def bar(label: str, total: int = 0, unit: str = "") -> Iterator[Advance]:
    """Show the progress of `label`. Yields a function that advances it.

    `total` is in `unit`s; 0 if it is not known yet. The unit "bytes" is shown as MB.
    """
    with _bar(label, total, unit) as own_advance:

        def advance(n: int = 1, *, total: int = 0) -> None:
            own_advance(n, total=total)
            if _overall and _overall[0] == unit:
                _overall[1](n)

        yield advance


@contextmanager
def overall_bar(label: str, total: int, unit: str) -> Iterator[None]:
    """Show the progress of a command that has several bars. Those that count the same unit advance it."""
    global _overall
    with _bar(label, total, unit) as advance:
        _overall = unit, advance
        try:
            yield
        finally:
            _overall = None


@contextmanager
def _bar(label: str, total: int, unit: str) -> Iterator[Advance]:
    if _quiet:
        yield lambda n=1, *, total=0: None
    elif _console().is_terminal:
        yield from _terminal_bar(label, total, unit)
    else:
        yield from _log_lines(label, total, unit)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """Show what is waited for. Yields a function that shows a sentence: in place on a terminal, else as a line
    if it is new and the last one is some time ago: ten seconds at first, later five minutes."""
    shown, shown_at, gap = "", float("-inf"), 10.0

    def show(sentence: str) -> None:
        nonlocal shown, shown_at, gap
        now = time.monotonic()
        if sentence != shown and now - shown_at >= gap:
            say(sentence)
            gap = min(1.5 * gap, 300.0) if shown else gap
            shown, shown_at = sentence, now

    if _quiet:
        yield lambda _: None
    elif _console().is_terminal:
        with _console().status("") as spinner:
            yield lambda sentence: spinner.update(terminal(sentence))
    else:
        yield show


def watch(label: str, items: Iterable[T], total: int, unit: str) -> Iterator[T]:
    """Iterate over `items` with a bar, if there are enough of them to take time."""
    if total < _MIN_ITEMS:
        yield from items
        return
    with bar(label, total, unit) as advance:
        for item in items:
            yield item
            advance(1)


def _terminal_bar(label: str, total: int, unit: str) -> Iterator[Advance]:
    global _display
    with _lock:
        outermost = _display is None
        display = _display = _display or _new_display()
        task = display.add_task(terminal(label), total=total or None, unit=unit)

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
                display.remove_task(task)  # only the outermost bar stays on the screen


def _log_lines(label: str, expected: int, unit: str) -> Iterator[Advance]:
    start = time.monotonic()
    done, shown_quarter, shown_at = 0, 0, start

    def advance(n: int = 1, *, total: int = 0) -> None:
        nonlocal done, shown_quarter, shown_at
        total = total or expected
        with _lock:
            done += n
            now = time.monotonic()
            quarter = 4 * done // total if total else 0
            new_quarter = shown_quarter < quarter < 4 and now - shown_at >= _MIN_GAP
            if not new_quarter and now - shown_at < _MAX_GAP:
                return
            shown_quarter, shown_at = quarter, now
            line = f"{label}: {_amount(done, unit)}"
            if total:
                line = f"{label}: {100 * done // total} % ({_amount(done, unit)} of {_amount(total, unit)})"
                if done:
                    line += f", {duration((now - start) * (total - done) / done)} left"
            say(line)

    yield advance
    seconds = max(time.monotonic() - start, 1e-3)
    say(f"{label}: {_amount(done, unit)} in {duration(seconds)} ({_amount(done / seconds, unit)}/s)")


@functools.cache
def _console() -> Console:
    from rich.console import Console  # here, because importing it is slow

    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def _new_display() -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Done(ProgressColumn):
        def render(self, task: Task) -> Text:
            unit, speed = task.fields["unit"], task.finished_speed or task.speed
            total = f" of {_amount(task.total, unit)}" if task.total else ""
            rate = f", {_amount(speed, unit)}/s" if speed else ""
            return Text(f"{_amount(task.completed, unit)}{total}{rate}")

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        Done(),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=_console(),
        redirect_stdout=False,  # results that are printed meanwhile must not go to standard error
    )


def _amount(n: float, unit: str) -> str:
    if unit == "bytes":
        return f"{n / 1e6:.0f} MB" if n >= 1e7 else f"{n / 1e6:.1f} MB"
    number = f"{n:.0f}" if n >= 10 or n == int(n) else f"{n:.1f}"
    return f"{number} {unit}".rstrip()


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{int(seconds) // 60} min {int(seconds) % 60} s"
