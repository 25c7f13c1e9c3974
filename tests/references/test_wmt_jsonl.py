"""WMT's JSON Lines as a reference set and as outputs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from tests.helpers.command import invoke

ZH = ["国家实行出口管制制度。", "国务院负责管理工作。", "本法自公布之日起施行。"]
EN = [
    "The State adopts an export control system.",
    "The State Council is in charge of the work.",
    "This Law takes effect on the day of its promulgation.",
]


def document(doc_id: str, src: str, ref: str, **fields: Any) -> dict[str, Any]:
    """As in wmt25-genmt.jsonl."""
    return {
        "dataset_id": "wmttest2025",
        "collection_id": "general",
        "doc_id": doc_id,
        "domain": "news",
        "src_lang": "en",
        "tgt_lang": "zh_CN",
        "src_text": src,
        "refs": {"refA": {"ref": ref}},
        **fields,
    }


DOCUMENTS = [
    document("en-zh_CN_#_news_#_1", "\n\n".join(EN[:2]), "\n\n".join(ZH[:2])),
    document("en-zh_CN_#_news_#_2", EN[2], ZH[2], refs={"refB": {"ref": "别的"}, "refA": ZH[2]}),
    document("en-zh_CN_#_news_#_3", "\n\n".join(EN), " ".join(ZH)),
    document("en-cs_CZ_#_news_#_1", EN[0], "Stát …", tgt_lang="cs_CZ"),
    document("en-zh_CN_#_suite_#_1", EN[0], "", refs={}),
]


def write(path: Path, rows: list[Any]) -> Path:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_an_empty_reference_is_none(tmp_path: Path) -> None:
    row = document("a", EN[0], "", refs={"refA": {"ref": " "}, "refB": {"ref": ZH[0]}})
    assert [s.zh for s in references.load(write(tmp_path / "s.jsonl", [row])).segments] == [ZH[0]]


def test_a_document_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="line 2: doc_id is empty; name each document once"):
        references.load(write(tmp_path / "s.jsonl", [DOCUMENTS[0], document(" ", EN[0], ZH[0])]))


@pytest.mark.parametrize("name", ["wmt25-genmt.jsonl", "wmt25-genmt.jsonl.gz"])
def test_a_set(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    reference = references.load(write(tmp_path / name, DOCUMENTS))
    first, second, third = (f"en-zh_CN_#_news_#_{n}" for n in (1, 2, 3))
    assert [(s.id, s.en, s.zh, s.section) for s in reference.segments] == [
        (f"{first}:1", EN[0], ZH[0], first),
        (f"{first}:2", EN[1], ZH[1], first),
        (second, EN[2], ZH[2], second),
        (third, "\n\n".join(EN), " ".join(ZH), third),
    ]
    assert (reference.id, reference.original_language) == ("wmt25-genmt", "en")
    said = capsys.readouterr().err
    assert "2 documents of other languages or without a reference were left out" in said
    assert "references that other documents lack are not used (in 1 documents)" in said
    assert references.load(reference.origin).sha256 == reference.sha256


def test_references_that_all_documents_have_are_used(tmp_path: Path) -> None:
    refs = {"refB": {"ref": "国家实行管制。\n\n由国务院负责。"}, "refA": {"ref": "\n\n".join(ZH[:2])}}
    rows = [
        document("1", "\n\n".join(EN[:2]), "", refs=refs),
        document("2", EN[2], "", refs={"refA": ZH[2], "refB": "公布后施行。"}),
    ]
    task = Task(references.load(write(tmp_path / "two.jsonl", rows)), "en-zh")
    assert task.all_references == (tuple(ZH), ("国家实行管制。", "由国务院负责。", "公布后施行。"))


@pytest.mark.slow
def test_outputs_are_scored_published_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "set.jsonl", DOCUMENTS)
    texts = ["\n\n".join(ZH[:2]), ZH[2], " ".join(ZH)]
    rows = [{**row, "hypothesis": text} for row, text in zip(DOCUMENTS[:3], texts, strict=True)]
    write(tmp_path / "out.en-zh.jsonl", rows)
    done = invoke("score", "mine=out.en-zh.jsonl", "--reference", "set.jsonl", "-q")
    assert done.exit_code == 0, done.output
    board = json.loads(Path("runs/set/leaderboard.json").read_text("utf-8"))["directions"]["en-zh"]
    assert [row["scores"]["chrf"]["value"] for row in board["rows"]] == [100]
    (run,) = (path.parent for path in Path("runs/set/en-zh").glob("*/run.json"))
    done = invoke("publish", "--into", "published", run)
    assert done.exit_code == 0, done.output
    Path("set.jsonl").unlink()
    done = invoke("verify", "published")
    assert done.exit_code == 0, done.output
    write(tmp_path / "set.jsonl", DOCUMENTS)
    rows[0]["hypothesis"] = ZH[0]
    write(tmp_path / "out.en-zh.jsonl", rows)
    done = invoke("score", "mine=out.en-zh.jsonl", "--reference", "set.jsonl", "-q")
    assert done.exit_code == 2
    assert "lacks 2 segments" in done.stderr


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([DOCUMENTS[3]], "has 0 segments between Chinese and English"),
        ([DOCUMENTS[1], DOCUMENTS[1]], "line 2: 'en-zh_CN_#_news_#_2' is not a new doc_id"),
        ([document("1", ZH[0], EN[0], src_lang="zh", tgt_lang="en"), DOCUMENTS[1]], "from and into Chinese"),
        ([document("1", ZH[0], EN[0])], "is mostly another language"),
        ([{"doc_id": 1}], "Expected `str`, got `int` - at `$.doc_id`"),
        ([document("a\tb", EN[0], ZH[0])], "matching regex"),
        ([[]], "Expected `object`"),
        (["x" * 10], "line 1: Expected `object`"),
    ],
)
def test_damaged_files(tmp_path: Path, rows: list[Any], sentence: str) -> None:
    with pytest.raises(BenchError) as caught:
        references.load(write(tmp_path / "set.jsonl", rows))
    assert sentence in str(caught.value)
