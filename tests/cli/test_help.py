"""`bench --help` and the help of each command: what a new user reads first."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from bench.cli.main import main
from tests.helpers.command import invoke

COMMANDS = sorted(main.commands)  # type: ignore[attr-defined]


def test_every_command_is_listed_once_with_a_complete_sentence() -> None:
    lines = invoke("--help").stdout.splitlines()
    listed = [line.split() for line in lines if line.startswith("  ") and line.split()[0] in COMMANDS]
    assert sorted(words[0] for words in listed) == COMMANDS
    assert all(words[-1].endswith(".") and not words[-1].endswith("...") for words in listed)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "references"])
def test_help_has_examples(command: str) -> None:
    """Lines that begin with the command itself, so that they can be copied."""
    text = invoke(command, "--help").stdout
    assert f"\n    bench {command} " in text or f"\n    bench {command}\n" in text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("system=gemma-3-27", {"system=gemma-3-270m"}),
        ("system=copy,dict", {"system=copy,dictionary"}),
        ("direction=", {"direction=zh-en", "direction=en-zh"}),
        ("reference=china", {"reference=china-export-controls-2021"}),
        ("store=x", set()),
    ],
)
def test_a_shell_completes_overrides(typed: str, expected: set[str]) -> None:
    """As bash asks for it, after the line of the README."""
    environment = {"_BENCH_COMPLETE": "bash_complete", "COMP_WORDS": f"bench run {typed}", "COMP_CWORD": "2"}
    result = CliRunner().invoke(main, [], env=environment, prog_name="bench")
    assert {line.split(",", 1)[1] for line in result.stdout.splitlines() if line} == expected
