"""A set of three segments with two systems, one of which gives texts that a page could take for markup."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.command import invoke

CAMPAIGN = "news-zh-en-cESA"
ZH = [f"第{n}条规定出口管制措施，由国务院在{n + 40}日内实施。" for n in "123" for n in [int(n)]]
EN = [
    f"Article {n} lays down export controls that the State Council implements within {n + 40} days."
    for n in (1, 2, 3)
]
A = [
    "Article 1 controls imports within 41 days.",
    "<img src=x onerror=\"document.title='run'\"> Article 2, <b>within</b> 42 days",
    "😀 Article 3 within 99 days",
]
B = [text.replace("export", "import") for text in EN]


def prepare(folder: Path, metrics: str = "bleu,chrf") -> None:
    """Write the files into `folder` and score them into `folder`/runs. The working folder is `folder`."""
    for name, lines in {"news.zh": ZH, "news.en": EN, "a.zh-en.txt": A, "b.zh-en.txt": B}.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["a=a.zh-en.txt", "b=b.zh-en.txt", "--reference", "news", "--metric", metrics, "-q"]
    done = invoke("score", *words)
    assert done.exit_code == 0, done.output
