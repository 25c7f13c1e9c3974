"""Sets that are not folders of `references`: parallel files, and a test set in sacrebleu's format."""

from __future__ import annotations

from pathlib import Path

PAIRS = [
    ("外交部发言人表示。", "The spokesperson said so."),
    ("中国加入了WTO。", "China joined the WTO."),
    ("OK!", "OK!"),
    ("各国都应当合作。", "All countries should cooperate."),
]
WMT22 = """<?xml version='1.0' encoding='utf-8'?>
<dataset id="wmttest2022">
 <doc origlang="zh" id="news.1">
  <src lang="zh"><p><seg id="1">外交部发言人表示。</seg><seg id="2">中国加入了WTO。</seg></p></src>
  <ref lang="en" translator="B"><p><seg id="1">B one.</seg><seg id="2">B two.</seg></p></ref>
  <ref lang="en" translator="A"><p><seg id="1">The spokesperson said so.</seg><seg id="2">China joined the WTO.</seg></p></ref>
  <hyp lang="en" system="Online-A"><p><seg id="1">x</seg><seg id="2">x</seg></p></hyp>
 </doc>
 <doc origlang="zh" id="news.2">
  <src lang="zh"><p><seg id="1">各国都应当合作。</seg></p></src>
  <ref lang="en" translator="A"><p><seg id="1">All countries should cooperate.</seg></p></ref>
  <ref lang="en" translator="B"><p><seg id="1">B three.</seg></p></ref>
  <hyp lang="en" system="Online-A"><p><seg id="1">x</seg></p></hyp>
 </doc>
</dataset>
"""
"""Two documents with two references, of which sacrebleu uses A."""


def write_parallel_files(prefix: Path) -> Path:
    """Write PAIRS into PREFIX.zh and PREFIX.en; returns the prefix."""
    for column, language in enumerate(("zh", "en")):
        Path(f"{prefix}.{language}").write_text("".join(f"{pair[column]}\n" for pair in PAIRS), "utf-8")
    return prefix
