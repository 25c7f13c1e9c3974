"""Paragraph and document views: the joined texts, their ids and hashes, and a run on each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import sacrebleu

from bench import references
from bench.answers.cleaning import clean
from bench.core import ReferenceSet
from bench.errors import BenchError
from bench.references import views
from bench.references.parallel import parallel_task
from bench.scorers.sacre import Sacre
from tests.helpers.command import bench

SET = "china-export-controls-2021"


def test_paragraphs() -> None:
    segments = {s.id: s for s in references.load(SET, "paragraph").segments}
    sentences = {s.id: s for s in references.load(SET).segments}
    assert list(segments)[:7] == [
        "front-h1",
        "front-h2",
        "front-p1",
        "front-p2",
        "preamble-h",
        "preamble-p1",
        "preamble-p2",
    ]
    parts = [sentences[f"preamble-p3-s{n}"] for n in (1, 2, 3, 4)]
    joined = segments["preamble-p3"]
    assert joined.zh == "".join(part.zh for part in parts)
    assert joined.en == " ".join(part.en for part in parts)
    assert (joined.kind, joined.section, joined.paragraph, joined.alignment) == (
        "sentence",
        "preamble",
        3,
        "4-5",
    )
    assert (joined.zh_lines, joined.en_lines) == ((35, 57), (27, 37))
    assert joined.zh_sentences == ("L35s1", "L35s2", "L35s3", "L35s4")
    assert joined.confidence == min(part.confidence for part in parts)
    assert segments["1.2-h"] == sentences["1.2-h"]  # a heading stays what it is, its number apart


def test_the_document() -> None:
    (whole,) = references.load(SET, "document").segments
    zh, en = whole.zh.split("\n"), whole.en.split("\n")
    assert len(zh) == len(en) == 23
    assert zh[9:12:2] == ["一、中国出口管制的基本立场", "（一）坚持总体国家安全观"]
    assert en[11] == "1. Maintaining a Holistic Approach to National Security"
    assert (whole.id, whole.zh_number, whole.alignment) == ("document", "", "39-48")


def test_only_the_number_at_the_beginning_stays_apart() -> None:
    loaded = references.load(SET)
    one, two, *_ = (s for s in loaded.segments if s.section == "1.1" and s.kind == "sentence")
    numbered = [
        type(one)(
            **{**asdict(s), "zh_number": f"（{n}）", "en_number": f"({n})", "section": "9", "paragraph": 1}
        )
        for n, s in enumerate((one, two), 1)
    ]
    (joined,) = views.view(ReferenceSet("x", "X", "zh", "", "", tuple(numbered)), "paragraph").segments
    assert (joined.zh_number, joined.en_number) == ("（1）", "(1)")
    assert joined.zh == f"{one.zh}（2）{two.zh}"
    assert joined.en == f"{one.en} (2) {two.en}"


@pytest.mark.parametrize("granularity", ["sentence", "paragraph", "document"])
def test_a_view_is_a_set_that_the_loader_takes(tmp_path: Path, granularity: str) -> None:
    view = references.load(SET, granularity)
    rows = "".join(json.dumps(asdict(s), ensure_ascii=False) + "\n" for s in view.segments).encode()
    (tmp_path / "segments.jsonl").write_bytes(rows)
    (tmp_path / "segments.sha256").write_text(f"{hashlib.sha256(rows).hexdigest()}  segments.jsonl\n")
    (tmp_path / "document.yaml").write_bytes((references.find(SET) / "document.yaml").read_bytes())
    again = references.load(tmp_path)
    assert again.segments == view.segments
    assert again.sha256 == view.sha256


def test_views_are_told_apart() -> None:
    sets = [references.load(SET, granularity) for granularity in ("sentence", "paragraph", "document")]
    assert [s.id for s in sets] == [SET, f"{SET}.paragraph", f"{SET}.document"]
    assert len({s.sha256 for s in sets}) == len({s.title for s in sets}) == 3
    with pytest.raises(BenchError, match="Unknown granularity 'word': use granularity=sentence"):
        references.load(SET, "word")


def test_a_set_without_paragraphs_has_no_view_of_them(tmp_path: Path) -> None:
    (tmp_path / "x.zh").write_text("和平。\n发展。\n", "utf-8")
    (tmp_path / "x.en").write_text("Peace.\nDevelopment.\n", "utf-8")
    with pytest.raises(
        BenchError, match="x does not mark its paragraphs: use granularity=sentence or granularity=document"
    ):
        references.load(tmp_path / "x", "paragraph")
    (whole,) = references.load(tmp_path / "x", "document").segments
    assert (whole.zh, whole.en) == ("和平。发展。", "Peace. Development.")


# --- every stage takes a text with line breaks --------------------------------------------------------------


def test_cleaning_keeps_the_lines_of_a_document() -> None:
    (whole,) = references.load(SET, "document").segments
    said = f"Here is the translation:\n{whole.en}"
    assert clean(said, whole.zh, "en").text == whole.en
    assert clean("Peace.\nNote that", "和平。", "en").text == "Peace."  # where the source has one line


@pytest.mark.parametrize("metric", ["BLEU", "chrF", "chrF++", "TER"])
@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
def test_scores_are_sacrebleus(metric: str, direction: str) -> None:
    """A document of two paragraphs: the number that sacrebleu gives for the very same strings."""
    language = direction[-2:]
    segments = [
        s for s in references.load(SET).segments if s.id in ("1.1-h", "1.1-p1-s1", "1.2-h", "1.2-p1-s1")
    ]
    (whole,) = views.view(ReferenceSet("x", "X", "zh", "", "", tuple(segments)), "document").segments
    expected = whole.text(language)  # type: ignore[arg-type]
    assert expected.count("\n") == 3
    given = expected.replace("\n", " \n", 1)[:-20] + "\n" + expected[:10]
    task = parallel_task("test", direction, [""], [expected])  # type: ignore[arg-type]
    score = Sacre(metric).score(task, {"it": [given]}, Path("not written"))["it"]
    theirs = {
        "BLEU": sacrebleu.BLEU(tokenize="zh" if language == "zh" else "13a"),
        "chrF": sacrebleu.CHRF(),
        "chrF++": sacrebleu.CHRF(word_order=2),
        "TER": sacrebleu.TER(normalized=language == "zh", asian_support=language == "zh"),
    }[metric]
    assert score.value == theirs.corpus_score([given], [[expected]]).score
    assert 0 < score.value < 100
    assert score.interval is None


@pytest.mark.slow
def test_a_view_has_runs_and_boards_of_its_own(tmp_path: Path) -> None:
    (whole,) = references.load(SET, "document").segments
    (tmp_path / "out.jsonl").write_text(json.dumps({"id": "document", "text": whole.en[:-9]}) + "\n", "utf-8")
    cedict = tmp_path / "cedict.txt"
    cedict.write_text("出口 出口 [chu1 kou3] /to export/\n", "utf-8")
    words = ["granularity=document", "direction=zh-en", "metric=[chrf,bleu]", "-q"]
    for system in (
        ["system=copy"],
        ["system=dictionary", f"system.adapter.dictionary={cedict}"],
        ["system=hypotheses", "system.name=ours", "system.adapter.path=out.jsonl"],
    ):
        done = bench(tmp_path, "run", *system, *words)
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.is_dir()] == [f"{SET}.document"]
    record = json.loads((tmp_path / "runs" / f"{SET}.document" / "leaderboard.json").read_text())
    rows = {row["name"]: row for row in record["directions"]["zh-en"]["rows"]}
    assert set(rows) == {"ours", "dictionary", "copy"}
    assert rows["ours"]["scores"]["chrf"]["interval"] is None
    assert rows["copy"]["flags"] == {"copied": 1}
    assert "document view, 2021-12: 1 segment, set" in done.stdout
    assert "One segment gives no confidence interval." in done.stdout
    refused = bench(tmp_path, "run", "system=copy", "granularity=sentence,document", status=2)
    assert "give one value for each of reference, granularity and store" in refused.stderr
