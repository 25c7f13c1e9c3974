"""MetricX against numbers of its authors' code, and what the scorer makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.references.parallel import parallel_task
from bench.scorers.metricx import MetricX
from bench.scorers.metricx_model import Model
from bench.scoring.compare.paired import compare
from tests.helpers import tiny_metricx

pytestmark = pytest.mark.slow

# Token ids -> the prediction of MT5ForRegression (google-research/metricx, commit fc4978e, metricx24/models.py, which
# equals metricx23/models.py) under transformers 4.30.2, the version that it requires, for the checkpoint of
# tests/helpers/tiny_metricx.py: MT5ForRegression.from_pretrained(FOLDER).eval()(input_ids, attention_mask).predictions
AUTHORS: tuple[tuple[list[int], float], ...] = (
    ([7, 8, 9], 0.0),
    ([250000, 3, 17, 21, 5, 5, 5], 15.20591),
    ([1234], 0.0),
    ([99, 98, 97, 96, 95, 94, 93, 92], 15.14705),
    ([40, 41], 0.0),
    ([5000, 6000, 7000, 8000], 25.0),
    ([11] * 20, 24.05681),
    ([249999, 2], 0.0),
    ([31, 32, 33, 34, 35], 25.0),
    ([77777, 88888], 19.01284),
)
SOURCES = ["和平需要各国共同努力。", "出口管制应当公平合理。", "谢谢。", "中国支持国际合作。"]
OFFICIAL = ["Peace needs all.", "Export control should be fair.", "Thank you.", "China supports cooperation."]
SYSTEMS = {"same": OFFICIAL, "other": ["Peace.", "Control.", "Thanks a lot.", "Cooperation."]}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("metricx")
    return tiny_metricx.checkpoint(folder / "checkpoint", seed=1), tiny_metricx.tokenizer(
        folder / "tokenizer"
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))


def metric(folders: tuple[Path, Path], **settings: Any) -> MetricX:
    return MetricX("MetricX", str(folders[0]), str(folders[1]), **settings)


def test_the_numbers_of_the_authors_in_any_batch(folders: tuple[Path, Path], tmp_path: Path) -> None:
    model = Model(tiny_metricx.checkpoint(tmp_path), folders[1], "float32", "cpu", pickled=False)
    rows = [ids for ids, _ in AUTHORS]
    expected = pytest.approx([value for _, value in AUTHORS], abs=1e-4)
    assert model.scores(rows) == expected
    assert [model.scores([row])[0] for row in rows] == expected


def test_texts_are_joined_and_cut_as_the_authors_do(folders: tuple[Path, Path]) -> None:
    sample = ("源", "a", "b")
    joined = {
        "24": ("source: 源 candidate: a reference: b", "source: 源 candidate: a"),
        "23": ("candidate: a reference: b", "candidate: a source: 源"),
    }
    for generation, texts in joined.items():
        for reads, text in zip((True, False), texts, strict=True):
            made = metric(folders, generation=generation, reads_reference=reads)
            assert made.input(sample) == text
    import sentencepiece

    model = Model(*folders, "float32", "cpu", pickled=False)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folders[1] / "spiece.model"))
    whole = [*pieces.encode(OFFICIAL[1]), 1]
    assert model.tokens(OFFICIAL[1], 100) == (whole[:-1], False)
    # The end token is put into the limit and dropped afterwards: one token fewer than the limit is read.
    assert model.tokens(OFFICIAL[1], 5) == (whole[:4], True)


def test_a_score_where_lower_is_better(folders: tuple[Path, Path]) -> None:
    task = parallel_task("test", "zh-en", SOURCES, OFFICIAL)
    made = metric(folders)
    scores = made.score(task, SYSTEMS, Path("not written"))
    model = Model(*folders, "float32", "cpu", pickled=False)
    alone = [
        model.scores([model.tokens(made.input(sample), 1536)[0]])[0]
        for sample in zip(SOURCES, SYSTEMS["other"], OFFICIAL, strict=True)
    ]
    assert scores["other"].segments == pytest.approx(alone, abs=1e-4)
    assert scores["other"].value == pytest.approx(sum(alone) / 4, abs=1e-4)
    assert scores["same"].arrow == "↓"
    assert len({score.value for score in scores.values()}) == 2
    best = min(scores, key=lambda system: scores[system].value)
    (pair,) = compare(scores, trials=100).pairs
    assert (pair.a == best) == (pair.difference < 0), "the better system is the one with fewer errors"
    assert "reference:yes|precision:float32|device:cpu|max:1536" in scores["same"].signature
    folders_gone = MetricX("MetricX", str(folders[0]), str(folders[1]))
    assert folders_gone.score(task, SYSTEMS, Path("not written")) == scores, "from the cache"


def test_without_reference_and_with_a_limit(folders: tuple[Path, Path]) -> None:
    made = metric(folders, reads_reference=False, max_tokens=8)
    results = [
        made.score(parallel_task("test", "zh-en", SOURCES, references), SYSTEMS, Path("not written"))
        for references in (OFFICIAL, OFFICIAL[::-1])
    ]
    assert results[0] == results[1]
    assert (0, "cut") in results[0]["same"].remarks
    assert "reference:no" in results[0]["same"].signature
    assert digest_of(made) != digest_of(metric(folders, max_tokens=8))


def digest_of(made: MetricX) -> object:
    return sorted(made.identity().items())
