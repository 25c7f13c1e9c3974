"""Sets whose ids or origins are unusual, through compare, publish and verify: a dot, sacrebleu's sets, parallel files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.references import find
from tests.helpers import command
from tests.helpers.outside import WMT22


def bench(folder: Path, *arguments: str) -> str:
    cache = str(folder / "sacrebleu")
    return command.bench(folder, *arguments, network=False, timeout=300, SACREBLEU=cache).stdout


def set_with_a_dot(folder: Path) -> str:
    target = folder / "references" / "paper-v1.2"
    shutil.copytree(find("china-export-controls-2021"), target)
    document = target / "document.yaml"
    document.write_text(document.read_text().replace("china-export-controls-2021", "paper-v1.2"))
    return "paper-v1.2"


def sacrebleu_set(folder: Path) -> str:
    for name, text in (
        ("wmt22/raw/wmt22.v1.1.tar.gz", "an archive that is there already is not read"),
        ("wmt22/raw/wmt22-news-systems-1.1/xml/wmttest2022.zh-en.all.xml", WMT22),
    ):
        path = folder / "sacrebleu" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return "sacrebleu:wmt22/zh-en"


def parallel_files(folder: Path) -> str:
    (folder / "own").mkdir()
    (folder / "own" / "news.2026.zh").write_text(
        "外交部发言人表示。\n中国加入了世贸组织。\n各国都应当合作。\n"
    )
    (folder / "own" / "news.2026.en").write_text(
        "The spokesperson said so.\nChina joined the WTO.\nAll should cooperate.\n"
    )
    (folder / "own" / "news.2026.en.1").write_text(
        "So said the spokesperson.\nChina entered the WTO.\nAll shall cooperate.\n"
    )
    (folder / "own" / "news.2026.docs").write_text("first\nfirst\nsecond\n")
    (folder / "own" / "news.2026.yaml").write_text("title: News\nlicence: CC BY 4.0\n")
    return "own/news.2026"


@pytest.mark.slow
@pytest.mark.parametrize("make_set", [set_with_a_dot, sacrebleu_set, parallel_files])
@pytest.mark.parametrize("granularity", ["sentence", "document"])
def test_compare_publish_and_verify(tmp_path: Path, make_set, granularity: str) -> None:  # type: ignore[no-untyped-def]
    reference = make_set(tmp_path)
    for direction, text in (("zh-en", "The text.\n"), ("en-zh", "文本。\n")):
        (tmp_path / f"out.{direction}.txt").write_text(text * (39 if "paper" in reference else 3))
    settings = [f"reference={reference}", f"granularity={granularity}", "metric=[chrf]", "-q"]
    bench(tmp_path, "run", "system=copy", *settings)
    if granularity == "sentence":
        bench(
            tmp_path,
            "run",
            "system=hypotheses",
            "system.name=ours",
            "system.adapter.path='out.{direction}.txt'",
            *settings,
        )
        assert "chrF" in bench(tmp_path, "compare", "copy", "ours", "--direction", "zh-en")
    runs = sorted(path.parent for path in tmp_path.glob("runs/*/*/*/run.json"))
    record = json.loads((runs[0] / "run.json").read_text())["reference"]
    assert record["granularity"] == granularity
    assert record["origin"] == reference
    bench(tmp_path, "publish", "--into", "results", *map(str, runs))
    assert "no differences" in bench(tmp_path, "verify", "results")
    if make_set is parallel_files:  # the results can be checked without the folder they were made in
        shutil.rmtree(tmp_path / "own")
        assert "no differences" in bench(tmp_path, "verify", "results")


@pytest.mark.slow
def test_a_store_of_an_older_version_with_paragraphs(tmp_path: Path) -> None:
    """Its run.json says neither granularity nor origin; both were in the id."""
    bench(tmp_path, "run", "system=copy", "granularity=paragraph", "metric=[chrf]", "-q")
    for path in tmp_path.glob("runs/*/*/*/run.json"):
        document = json.loads(path.read_text())
        del document["reference"]["granularity"], document["reference"]["origin"]
        path.write_text(json.dumps(document))
    assert "no differences" in bench(tmp_path, "verify", "runs")
