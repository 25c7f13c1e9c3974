"""Files with outputs of systems: given to `bench score` as NAME=PATH, they become runs like all others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench import progress
from bench.adapters._output_files import read_texts
from bench.adapters.hypotheses import Hypotheses
from bench.errors import BenchError
from bench.languages import DIRECTIONS, LANGUAGE_NAMES, Direction, script_share
from bench.launching.compose import override
from bench.names import RULE, is_name
from bench.translation.driver import TranslationJob

_DIRECTION = re.compile(r"(?<![a-z])(zh|en)[-_.]?(?:2|to)?[-_.]?(en|zh)(?![a-z])", re.IGNORECASE)
_OPTIONS = ("metric", "reference", "granularity", "store", "quiet")
"""What `bench run` takes as overrides and `bench score` as options."""
_SUFFIXES = re.compile(r"(\.(zh|en|txt|tsv|jsonl?|xml|sgml?|gz|hyp|out))+$", re.IGNORECASE)


_WRONG_SHARE = 0.05
"""Of the letters in the script that a file's name promises; with less, the file is the wrong one."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    name: str
    path: Path
    direction: Direction


def output_files(arguments: Sequence[str]) -> list[OutputFile]:
    """The files of `bench score`. Says which direction each has, and how that is known.

    Raises BenchError for a file that cannot be read, and for two files of one system in one direction.
    """
    files = [_output_file(argument) for argument in arguments]
    for number, file in enumerate(files):
        for other in files[:number]:
            if (file.name, file.direction) == (other.name, other.direction):
                raise BenchError(
                    f"{other.path} and {file.path} are both {file.name} {file.direction}: give one of them "
                    "another name, NAME=PATH, or name the direction in the file's name (out.zh-en.txt)."
                )
    return files


def job_overrides(file: OutputFile) -> list[str]:
    """The overrides of the job that reads the file."""
    return [
        "system=hypotheses",
        override("system.name", file.name),
        override("system.adapter.path", str(file.path)),
        f"direction={file.direction}",
    ]


def _output_file(argument: str) -> OutputFile:
    name, separator, path_text = argument.partition("=")
    if (option := name.lstrip("+-")) in _OPTIONS and not Path(argument).exists():
        raise BenchError(f"{name} is an option here: write --{option} {path_text or 'VALUE'}.")
    if separator and not path_text:
        raise BenchError(f"{argument} names no file: write NAME=PATH, as in ours=out.zh-en.txt.")
    path = Path(path_text if separator else argument)
    with suppress(RuntimeError):  # "~user" of a user who does not exist
        path = path.expanduser()
    if re.search(r"[\\$\0]|\{direction\}", str(path)):
        raise BenchError(f"{path} has $, a backslash or {{direction}} in its name: rename the file.")
    if not separator:
        name = _DIRECTION.sub("", _SUFFIXES.sub("", path.name)).strip("._-") or path.stem
    if not is_name(name):
        raise BenchError(f"{name[:80]!r} cannot name a system: {RULE}, as in ours={path.name}.")
    direction, reason = _direction(path)
    progress.say(f"{path}: {name}, {direction} (by {reason}).")
    return OutputFile(name, path, direction)


def _direction(path: Path) -> tuple[Direction, str]:
    """The direction, and how it is known: by the file's name, else by the language of its texts."""
    # Any language: only a table with a column of that name needs to know it.
    text = " ".join(read_texts(path, "en"))
    english = script_share(text, "en") > 0.5
    by_text: Direction = "zh-en" if english else "en-zh"
    names = {f"{a}-{b}".lower() for a, b in _DIRECTION.findall(path.name)} & {*DIRECTIONS}
    if len(names) != 1:
        return by_text, f"its text, which is {LANGUAGE_NAMES['en' if english else 'zh']}"
    (named,) = names
    if named != by_text and script_share(text, "en" if named == "zh-en" else "zh") < _WRONG_SHARE:
        raise BenchError(
            f"{path} is called {named}, but its text is {LANGUAGE_NAMES['en' if english else 'zh']}: "
            "give the right file, or rename it."
        )
    if named != by_text:
        progress.say(
            f"{path} is called {named}, but its text is mostly {LANGUAGE_NAMES['en' if english else 'zh']}.",
            warning=True,
        )
    return ("zh-en" if named == "zh-en" else "en-zh"), "its name"


def check_files(jobs: Sequence[TranslationJob]) -> None:
    """Raise BenchError if one file is to be the outputs of both directions, or does not fit the set: before anything
    is translated or written."""
    directions: dict[str, set[Direction]] = defaultdict(set)
    for job in jobs:
        if isinstance(job.adapter, Hypotheses):
            directions[str(job.adapter.path)].add(job.task.direction)
    for path, both in directions.items():
        if len(both) > 1:
            raise BenchError(
                f"{path} cannot hold the outputs of both directions: give its own, as in direction=zh-en, or "
                "{direction} in the path of two files."
            )
    for job in jobs:
        if isinstance(job.adapter, Hypotheses):
            job.adapter.check()
