"""Texts that try to be more than text, and boards that say them wherever a stranger can write something."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from bench.boards.rows import Board, Columns, build_board
from bench.core import ReferenceSet, Score, Span, Task
from bench.languages import Direction
from bench.references.parallel import parallel_segment
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.store import Store
from tests.helpers.stored import hypothesis, store_run

TEXTS = {
    "escape sequence": "a\x1b[31mred\x1b]8;;http://evil\x07link\x9b2J",
    "direction": "a\u202egnp.exe\u2066b\u2069\u200f",
    "hidden": "a\u200bb\ufeffc\u2060d\U000e0041e\xadf",
    "lines": "a\r\nb\n# c\x0bd\u2028e\x85f\tg",
    "private and half": "a\ue000b\udc80c\ud83dd\uffff",
    "rich": "[bold]a[/] [link=http://evil]b[/link] [/]",
    "markdown": "x](http://evil) ![i](http://evil/i) [a](javascript:x) *b* _c_ ~~d~~ `e` | f | $g$ :+1:",
    "markdown block": "# a\n\n- b\n1. c\n> d\n```\ne",
    "list": "- a",
    "number": "1. a",
    "backtick": "a`b``c` <b>d</b>",
    "html": "<script>document.title='run'</script><img src=x onerror=alert(1)> &lt;b&gt; </title>",
    "page marker": "a <!-- /board --> b <!-- board -->\nc",
    "link": "<http://evil> https://evil/a www.evil.com",
    "latex": r"\input{/etc/passwd} ^^5cinput $a$ #1 & b % c ~ _ { } \\ \end{table}",
    "latex row": "[1em] a",
    "star": "* a",
    "formula": '=HYPERLINK("http://evil";"a")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1+1",
    "at": "@SUM(A1)",
    "tab": "\t=1+1",
    "full width": "＝1+1",
    "script": "</script><!--<script>\u2028\u2029]]>",
    "quotes": '"\'`&<> \\" \\u003c',
    "proto": "__proto__",
    "constructor": "constructor",
}
LEGITIMATE = [
    "中国的出口管制（2021）",
    "e\u0301te\u0301 naïve — “±” → †",
    "𠮷野家 葛\U000e0100城",
    "👨‍👩‍👧 ❤️‍🔥 🏳️‍🌈 👩🏽‍💻 1️⃣ ©️",
    "می‌خواهم क्‍ष",
    "한국어 日本語",
]


def steering(text: str) -> set[str]:
    """The characters of `text` that a terminal acts on or does not show, except line breaks."""
    bad = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    return {ascii(c) for c in text if c != "\n" and (unicodedata.category(c) in bad or c == "\uffff")}


def board(root: Path, text: str, direction: Direction = "zh-en", names: Sequence[str] = ()) -> Board:
    """A board on which `text` is the name, card and flags of systems, the title, licence, ids and sections of
    the set, labels and signatures of metrics, their remarks, and the reasons for what is missing.

    The store holds harmless runs: it would refuse most of this. `names`: names of systems instead of `text`.
    """
    store = Store(root)
    segments = [
        replace(parallel_segment(id, "中文句子。", "An English sentence."), section=text)
        for id in (
            "one",
            f"{text.encode(errors='replace').decode()} 2",
            "constructor",
            "__proto__",
            "10",
            "2",
        )
    ]
    reference = ReferenceSet("laws", text, "zh", "2024-05", text, tuple(segments))
    task = Task(reference, direction)
    metrics = ["constructor", "toString", "5"]
    given = list(names) or [text, f"{text}2"]
    for n, _ in enumerate(given):
        texts = [hypothesis(id, f"An English sentence {n}.") for id in task.ids]
        run = store_run(store, task, f"s{n:02}", texts)
        values = tuple(float(n + place) for place in range(len(segments)))
        for metric in metrics:
            store.write_score(
                run, metric, "scorer", Score(metric, sum(values) / 6, (0.0, 9.0), metric, values)
            )
    compare_runs(store, task, metrics, CompareSettings())
    harmless = build_board(store, task, Columns(metrics, metrics[0], {metrics[1]: text}))
    rows = []
    for row in harmless.rows:
        name = given[int(row.system[1:])]
        record = row.run
        card = msgspec.structs.replace(record.system, name=name, size=text, licence=text, released="2025")
        work = msgspec.structs.replace(record.work, device=text, segments_per_second=2.5)
        record = msgspec.structs.replace(
            record,
            system=card,
            work=work,
            flags={text: 1, "__proto__": 2},
            identity=text,
            made={"at": [{"a": 1}]},
        )
        document = {**row.document, "adapter": {text: {"__proto__": text}}, "made": record.made}
        scores = {
            metric: replace(
                score,
                metric=text,
                signature=text,
                remarks=((0, text), (1, "__proto__")),
                spans=((Span(0, 5, "major", 0.5),),) * 6,
            )
            for metric, score in row.scores.items()
            if score
        }
        stored = replace(row.stored_run, record=record, document=document)
        rows.append(replace(row, system=name, stored_run=stored, scores=scores))
    return replace(harmless, rows=rows, missing={text: text})
