"""Valid examples, made by `bench` itself: a tiny set as parallel files, a store, published results, a built set."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from tests.fuzz.case import Content, read_files
from tests.helpers.command import invoke
from tests.helpers.outside import PAIRS, write_parallel_files

INPUTS = Path(__file__).parents[1] / "references" / "inputs"
DOCUMENT = (
    "Ocean Statement\n海洋声明\n\n1. Trade grows. Peace lasts in 2021.\n\n一、贸易增长。和平在2021年持久。\n\n"
    "2. All countries should cooperate with the WTO.\n\n二、各国都应当与世贸组织合作。\n"
)

OUTPUTS = b"The spokesperson says so.\nChina joins the WTO.\nOK!\nMany countries cooperate.\n"


@cache
def folder() -> Path:
    """A folder with `set`, `store`, `results`, `built` and campaign.json; the working folder while it is made."""
    path = Path(os.environ["FUZZ_ROOT"], "prepared")
    path.mkdir()
    os.chdir(path)
    write_parallel_files(path / "set")
    (path / "statement.txt").write_text(DOCUMENT, "utf-8")
    (path / "out.txt").write_bytes(OUTPUTS)
    for store in ("store", "moved"):
        run = ("run", "-q", "reference=set", "metric=[bleu]", "direction=zh-en", f"store={store}")
        _bench(*run, "system=copy")
        _bench(*run, "system=hypotheses", "system.name=ours", "system.adapter.path=out.txt")
    (path / "README.md").write_text("# Results\n\n<!-- board -->\n<!-- /board -->\n\nEnd.\n", "utf-8")
    results = path / "results"
    results.mkdir()
    (results / "README.md").write_text("# Results\n\n<!-- board -->\n<!-- /board -->\n\nEnd.\n", "utf-8")
    _bench("publish", *sorted((path / "moved").glob("set/zh-en/*-*")), "--into", "results")
    _bench("references", "build", "statement.txt", "--id", "built", "--out", "built")
    export = ("human", "export", "copy", "ours", "--direction", "zh-en", "--store", "store")
    _bench(*export, "--annotators", "2", "--each", "2", "--protocol", "mqm")
    statement = INPUTS.parent / "gold" / "ocean-statement.txt"
    _bench("references", "build", statement, "--id", "built", "--out", "statement")
    rows = "".join(f"{zh}\t{en}\n" for zh, en in PAIRS)
    (path / "pairs.tsv").write_text(rows, "utf-8")
    _bench("references", "build", "pairs.tsv", "--id", "built", "--out", "aligned/built")
    return path


def _bench(*arguments: object) -> None:
    result = invoke(*arguments)
    if result.exit_code:
        raise RuntimeError(f"{arguments}: {result.output}") from result.exception


@cache
def set_files() -> dict[str, Content]:
    """Parallel files: set.zh and set.en."""
    return {name: (folder() / name).read_bytes() for name in ("set.zh", "set.en")}


@cache
def store(name: str) -> dict[str, Content]:
    """The files of `store` or `results`, without the site."""
    return {f"{name}/{path}": data for path, data in read_files(folder() / name, skip=("site",)).items()}


@cache
def built(path: str) -> dict[str, Content]:
    """The set in the folder `built`, `statement` (from documents) or `aligned/built` (from pairs), as files of `built`."""
    return {f"built/{name}": data for name, data in read_files(folder() / path).items()}


@cache
def campaign() -> dict[str, Content]:
    """A campaign for two annotators, and all its annotations in both of Pearmut's formats."""
    data = (folder() / "campaign.json").read_bytes()
    made = json.loads(data)
    span = {"start_i": 0, "end_i": 2, "severity": "minor", "category": "Style/Unidiomatic"}
    log = [
        {
            "user_id": f"annotator {number}",
            "annotation": [
                {
                    name: {"score": 10 if name == "check-damaged" else 80 + place, "error_spans": [span]}
                    for name in item["tgt"]
                }
                for item in page
            ],
            "item": page,
        }
        for number, pages in enumerate(made["data"])
        for place, page in enumerate(pages)
    ]
    return {
        "campaign.json": data,
        "log.jsonl": b"".join(json.dumps(entry).encode() + b"\n" for entry in log),
        "annotations.json": json.dumps({made["campaign_id"]: log}).encode(),
    }
