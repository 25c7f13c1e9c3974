"""README.md, CONTRIBUTING.md and docs/: links and paths exist, and the recipe for a metric works as it is written."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import limits, references

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
NEW_FILES = {"bench/scorers/length.py", "configs/metric/length.yaml"}
"""What the recipe for a metric creates."""


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
        if not PLACEHOLDER.search(path) and path not in NEW_FILES:
            assert any(ROOT.glob(path.rstrip("/"))), path


def test_modules_of_contributing() -> None:
    """Names of modules in the table of packages: `core.py` and the like."""
    modules = {
        path.name for folder in ("bench", "training", "tests") for path in (ROOT / folder).rglob("*.py")
    }
    named = set(MODULE.findall(prose(ROOT / "CONTRIBUTING.md")))
    assert len(named) > 10
    assert named <= modules


def test_recipe_of_a_metric(tmp_path: Path) -> None:
    """The blocks of CONTRIBUTING.md, outside the repository as it describes: a module on PYTHONPATH and a folder
    of configs.
    """
    recipes = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("**Add a metric.**")[2]
    (module,) = re.findall(r"^```python\n(.*?)^```$", recipes, re.DOTALL | re.MULTILINE)
    (config,) = re.findall(r"^```yaml\n(.*?)^```$", recipes, re.DOTALL | re.MULTILINE)
    assert "\n_target_: bench.scorers.length.Length\n" in config
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "length.py").write_text(module, encoding="utf-8")
    (tmp_path / "configs" / "metric").mkdir(parents=True)
    (tmp_path / "configs" / "metric" / "length.yaml").write_text(
        config.replace("bench.scorers.length.", "length."), encoding="utf-8"
    )
    arguments = ["run", "--config-dir", str(tmp_path / "configs"), "system=copy", "metric=[chrf,length]"]
    process = subprocess.run(
        [sys.executable, "-m", "bench", *arguments, "direction=zh-en", f"store={tmp_path / 'runs'}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "modules")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    folder = tmp_path / "runs" / "china-export-controls-2021"
    assert "| length ↑ |" in (folder / "leaderboard.md").read_text(encoding="utf-8")
    board = json.loads((folder / "leaderboard.json").read_text(encoding="utf-8"))["directions"]["zh-en"]
    segments = references.load("china-export-controls-2021").segments
    ratios = [len(segment.zh) / len(segment.en) for segment in segments]
    score = board["rows"][0]["scores"]["length"]
    assert score["value"] == pytest.approx(sum(ratios) / len(ratios))
    low, high = score["interval"]
    assert low < score["value"] < high


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
