"""Outputs of a system that ran elsewhere, in the layouts that people have."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bench.adapters._output_files import read_outputs
from bench.errors import BenchError

IDS = ("a1", "a2", "a3")
TEXTS = ["One.", 'He said "two".', "Three\u2028lines."]
EXPECTED = dict(zip(IDS, TEXTS, strict=True))


def outputs(tmp_path: Path, content: str | bytes, name: str = "out") -> dict[str, str]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_outputs(path, IDS, "news", "en")


def lines(rows: list[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def json_lines(*keys: str) -> str:
    return lines([json.dumps(dict(zip(keys, row, strict=True))) for row in EXPECTED.items()])


LAYOUTS = {
    "plain lines": lines(TEXTS),
    "carriage returns and a byte order mark": "\ufeff" + "".join(f"{text}\r\n" for text in TEXTS),
    "no line break at the end": "\n".join(TEXTS),
    "an id and a tab": lines([f"{id}\t{text}" for id, text in EXPECTED.items()]),
    "another order": lines([f"{id}\t{text}" for id, text in reversed(EXPECTED.items())]),
    "a header": "id\ttext\n" + lines([f"{id}\t{text}" for id, text in EXPECTED.items()]),
    "COMET's names": "seg_id\tsrc\tmt\n" + lines([f"{id}\t源\t{text}" for id, text in EXPECTED.items()]),
    "JSON Lines": json_lines("id", "text"),
    "seg_id and hypothesis": json_lines("seg_id", "hypothesis"),
    "doc_id and translation": json_lines("doc_id", "translation"),
    "mt": json_lines("id", "mt"),
    "JSON Lines without ids": lines([json.dumps({"mt": text}) for text in TEXTS]),
    "a JSON list of texts": json.dumps(TEXTS),
    "a JSON list of objects": json.dumps([{"id": i, "text": t} for i, t in EXPECTED.items()], indent=1),
    "numbers instead of ids": lines([json.dumps({"id": n, "text": t}) for n, t in enumerate(TEXTS, 1)]),
    "numbers in documents": lines(
        [json.dumps({"doc_id": d, "seg_id": n, "mt": t}) for (d, n), t in zip([("x", 1), ("x", 2), ("y", 1)], TEXTS, strict=True)]
    ),
    "document and segment in the id": lines(
        [json.dumps({"doc_id": "a", "seg_id": n, "mt": t}) for n, t in enumerate(TEXTS, 1)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path: Path, layout: str) -> None:
    assert outputs(tmp_path, LAYOUTS[layout]) == EXPECTED
    assert outputs(tmp_path, gzip.compress(LAYOUTS[layout].encode(), mtime=0), "out.gz") == EXPECTED


@pytest.mark.parametrize("name", ["out.txt", "out.tsv", "out.jsonl"])
def test_a_carriage_return_ends_no_line(tmp_path: Path, name: str) -> None:
    """sacrebleu reads lines in the same way."""
    texts = ["One.\rStill one.", "Two.", "Three\x0b\x0c\x85."]
    content = {
        "out.txt": lines(texts),
        "out.tsv": "id\ttext\n" + lines([f"{id}\t{text}" for id, text in zip(IDS, texts, strict=True)]),
        "out.jsonl": lines([json.dumps({"text": text}) for text in texts]),
    }
    assert list(outputs(tmp_path, content[name], name).values()) == texts


def test_the_columns_of_an_exported_set(tmp_path: Path) -> None:
    """Somebody exports the set and writes the translations over the column of the target language."""
    exported = 'id\tzh\ten\na1\t一\tOne.\na2\t二\t"He said ""two""."\na3\t三\tThree\u2028lines.\n'
    assert outputs(tmp_path, exported) == EXPECTED


def test_wmt_xml(tmp_path: Path) -> None:
    wmt = """<?xml version='1.0' encoding='utf-8'?>
<dataset id="x"><doc origlang="zh" id="d1"><src lang="zh"><p><seg id="1">一</seg></p></src>
<hyp system="ours" language="en"><p><seg id="1">One &amp; all.</seg><seg id="2">Two.</seg></p></hyp></doc>
<doc origlang="zh" id="d2"><hyp system="ours" language="en"><p><seg id="1">Three.</seg></p></hyp></doc></dataset>"""
    assert outputs(tmp_path, wmt) == {"a1": "One & all.", "a2": "Two.", "a3": "Three."}
    with pytest.raises(BenchError, match="outputs of 2 systems"):
        outputs(tmp_path, wmt.replace('id="d2"><hyp system="ours"', 'id="d2"><hyp system="theirs"'))


def test_wmt_sgml(tmp_path: Path) -> None:
    sgml = """<tstset setid="x" srclang="zh" trglang="en"><DOC sysid="ours" docid="d1"><p>
<seg id="1">One &amp; all.</seg><seg id="2">Two.</seg></p></DOC><doc sysid="ours" docid="d2"><seg id="1">Three.</seg></doc></tstset>"""
    assert outputs(tmp_path, sgml) == {"a1": "One & all.", "a2": "Two.", "a3": "Three."}


@pytest.mark.parametrize(
    "text",
    [
        "[unk] One.\ntwo\nthree\n",
        "{1} One.\ntwo\nthree\n",
        "a b\tOne.\ntwo\nthree\n",
        "<s> One.\ntwo\nthree\n",
    ],
)
def test_plain_lines_that_look_like_something_else(tmp_path: Path, text: str) -> None:
    assert list(outputs(tmp_path, text).values()) == text.removesuffix("\n").split("\n")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("One.\nTwo.\n", "has 2 lines, but news has 3 segments"),
        ("a1\tOne.\na1\tOne.\na3\tThree.\n", "line 2: the id a1 appears twice"),
        ('{"id": "a1", "text": "One."}\n', "lacks 2 segments"),
        (lines([json.dumps({"id": i, "text": i}) for i in (*IDS, "a4")]), "not in the set .first: a4"),
        ('{"id": "a1", "words": "One."}\n', "line 1: there is no text under text, hypothesis"),
        ('{"id": "a1", "text": 3}\n', "line 1: there is no text"),
        (json_lines("id", "text") + '{"text": "Four."}\n', "line 4: there is no id"),
        (json_lines("id", "text") + "{\n", "line 4: expected a JSON object"),
        (b"\x1f\x8b\x08\x00damaged", "damaged gzip"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ('<?xml version="1.0"?><dataset><doc>', "not valid XML"),
        ('<?xml version="1.0"?><dataset/>', "has no <seg>"),
        (
            '{"id": "a1", "text": "One."}\n{"id": "a2", "text": "\\ud83d\\ude00 \\ud800"}\n',
            r"line 2: expected a JSON object .* \(\\ud800 is half of a character",
        ),
        ('["One.", "Two \\udc00", "Three."]', r"expected a JSON list .* \(\\udc00 is half of a character"),
    ],
)
def test_damaged_files(tmp_path: Path, content: str | bytes, problem: str) -> None:
    with pytest.raises(BenchError, match=problem):
        outputs(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" + b"{}," * 6_000_001 + b"{}]", "6,000,000 values"),
        (b'{"id":"a1","text":"x","more":[' + b"{}," * 6_000_001 + b"{}]}\n", "6,000,000 values"),
        (b"\n" * 10_000_000, "10,000,000 lines"),
        (b"id\ttext" + b"\t" * 6_000_001, "6,000,000 cells or tags"),
        (b"<?xml version='1.0'?><hyp>" + b"<a/>" * 6_000_001 + b"</hyp>", "6,000,000 cells or tags"),
        (b"a" * (2**28 + 1), "larger than 256 MiB when it is unpacked"),
    ],
)
def test_small_files_that_would_take_much_memory(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BenchError, match=reason):
        outputs(tmp_path, gzip.compress(content, 1))
