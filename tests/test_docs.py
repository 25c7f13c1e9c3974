"""README.md, CONTRIBUTING.md and docs/: links and paths exist."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import pytest

from bench import limits

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCED_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:)([^)\s#]*)(?:#([^)\s]+))?\)")
PATH = re.compile(r"`((?:bench|configs|docs|references|results|tests|training|\.ci)/[\w./*-]*)`")
MODULE = re.compile(r"`(\w+\.py)`")
PLACEHOLDER = re.compile(r"\b(NAME|ID|SET)\b")


def prose(document: Path) -> str:
    return FENCED_BLOCK.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links(document: Path) -> None:
    for path, anchor in LINK.findall(prose(document)):
        target = document.parent / path if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths(document: Path) -> None:
    for path in PATH.findall(prose(document)):
        if not PLACEHOLDER.search(path):
            assert any(ROOT.glob(path.rstrip("/"))), path


def test_modules_of_contributing() -> None:
    """Names of modules in the table of packages: `core.py` and the like."""
    modules = {
        path.name for folder in ("bench", "training", "tests") for path in (ROOT / folder).rglob("*.py")
    }
    named = set(MODULE.findall(prose(ROOT / "CONTRIBUTING.md")))
    assert len(named) > 10
    assert named <= modules


def _limits_table() -> str:
    """The constants of bench/limits.py as SECURITY.md shows them."""
    body = ast.parse(Path(limits.__file__).read_text("utf-8")).body
    rows = []
    for assignment, docstring in itertools.pairwise(body):
        if isinstance(assignment, ast.Assign) and isinstance(docstring, ast.Expr):
            (name,) = (target.id for target in assignment.targets if isinstance(target, ast.Name))
            value = getattr(limits, name)
            shown = f"{value:,.0f}"
            if name.endswith("_BYTES"):
                shown = f"{value // limits.MIB} MiB" if value % limits.MIB == 0 else f"{value:,} bytes"
            rows.append(f"| {ast.literal_eval(docstring.value).rstrip('.')} | {shown} | `{name}` |")
    return "\n".join(["| Limit | Largest | Constant |", "|---|---:|---|", *rows])


def test_the_limits_of_security_md_are_those_of_the_code() -> None:
    assert _limits_table() in (ROOT / "SECURITY.md").read_text("utf-8"), _limits_table()
