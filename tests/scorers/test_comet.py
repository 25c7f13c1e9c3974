"""COMET on tiny real checkpoints: the numbers of comet's own `predict` and of its command, and all that goes
wrong around them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import references
from bench.core import Score, Task
from bench.errors import BenchError
from bench.launching.compose import compose, scorers
from bench.references.parallel import parallel_task
from bench.scorers import comet_cache
from bench.scorers.comet import Comet
from bench.scorers.comet_cache import Cache, Prediction
from bench.scorers.comet_model import _halved
from tests.helpers import tiny_comet
from tests.helpers.command import bench
from tests.helpers.model_server import COMMIT, ModelServer
from tests.helpers.stored import run_folders

SEGMENTS = references.load("china-export-controls-2021").segments
SOURCES = [segment.zh for segment in SEGMENTS]
REFERENCES = [segment.en for segment in SEGMENTS]
TASK = Task(references.load("china-export-controls-2021"), "zh-en")
PARTIAL = Path("not written")
SHORT = [segment.en[: len(segment.en) * 2 // 3] for segment in SEGMENTS]
SYSTEMS = {"short": SHORT, "mixed": [*REFERENCES[:20], *SHORT[20:30], *SOURCES[30:-1], ""]}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A tiny checkpoint's folder, by kind."""
    made: dict[str, Path] = {}

    def get(kind: str) -> Path:
        if kind not in made:
            made[kind] = tiny_comet.checkpoint(tmp_path_factory.mktemp(kind), kind)
        return made[kind]

    return get


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def score(scorer: Comet, systems: dict[str, list[str]] = SYSTEMS) -> dict[str, Score]:
    scorer.prepare()
    return scorer.score(TASK, systems, PARTIAL)


def predicted(folder: Path, hypotheses: list[str]) -> Any:
    from comet import load_from_checkpoint

    model = load_from_checkpoint(str(folder / "checkpoints" / "model.ckpt"))
    columns = zip(SOURCES, hypotheses, REFERENCES, strict=True)
    samples = [{"src": source, "mt": text, "ref": reference} for source, text, reference in columns]
    return model.predict(samples, gpus=0, progress_bar=False)


class Encoded:
    """Counts what the real encoder reads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from comet.encoders.xlmr import XLMREncoder

        self.rows = 0
        forward = XLMREncoder.forward

        def counted(encoder: Any, input_ids: Any, attention_mask: Any, **more: Any) -> Any:
            self.rows += len(input_ids)
            return forward(encoder, input_ids, attention_mask, **more)

        monkeypatch.setattr(XLMREncoder, "forward", counted)


# --- the numbers ---


@pytest.mark.slow
@pytest.mark.parametrize("kind", tiny_comet.KINDS)
def test_the_scores_are_those_of_predict(kind: str, checkpoint: Callable[[str], Path]) -> None:
    folder = checkpoint(kind)
    scores = score(Comet("COMET", str(folder)))
    for system, hypotheses in SYSTEMS.items():
        theirs = predicted(folder, hypotheses)
        assert scores[system].segments == pytest.approx(theirs.scores, abs=1e-5)
        assert scores[system].value == pytest.approx(theirs.system_score, abs=1e-5)
        if kind in ("unified", "xcomet"):
            expected = [
                [(span["start"], span["end"], span["severity"]) for span in spans if span["end"]]
                for spans in theirs.metadata.error_spans
            ]
            ours = [
                [(span.start, span.end, span.severity) for span in spans] for spans in scores[system].spans
            ]
            assert ours == expected
            assert any(ours)
            assert all(0 < span.confidence <= 1 for spans in scores[system].spans for span in spans)
        else:
            assert scores[system].spans == ()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regression", "referenceless", "kiwi", "xcomet"])
def test_the_scores_are_those_of_the_comet_score_command(
    kind: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    """It halves the model."""
    columns = {"s": SOURCES, "r": REFERENCES, **SYSTEMS}
    for name, texts in columns.items():
        (tmp_path / f"{name}.txt").write_text("".join(f"{text}\n" for text in texts))
    model = str(checkpoint(kind) / "checkpoints" / "model.ckpt")
    command = [str(Path(sys.executable).with_name("comet-score")), "-s", "s.txt", "-r", "r.txt", "-t"]
    command += [
        *(f"{name}.txt" for name in SYSTEMS),
        "--model",
        model,
        "--gpus",
        "0",
        "--to_json",
        "out.json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = json.loads((tmp_path / "out.json").read_text())
    ours = score(Comet("COMET", model, precision="float16"))
    for name in SYSTEMS:
        expected = [row["COMET"] for row in theirs[f"{name}.txt"]]
        assert ours[name].segments == pytest.approx(expected, abs=1e-5)
        printed = re.search(rf"^{name}\.txt\tscore: (\S+)$", done.stdout, re.MULTILINE)
        assert printed
        assert f"{ours[name].value:.4f}" == printed[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regression", "xcomet"])
def test_order_and_batches_change_nothing(kind: str, checkpoint: Callable[[str], Path], cache: Path) -> None:
    plain = score(Comet("COMET", str(checkpoint(kind))))
    shutil.rmtree(cache / "comet")
    scorer = Comet("COMET", str(checkpoint(kind)), batch_tokens=1)
    turned = {name: texts[::-1] for name, texts in SYSTEMS.items()}
    other = scorer.score(parallel_task("test", "zh-en", SOURCES[::-1], REFERENCES[::-1]), turned, PARTIAL)
    for name in SYSTEMS:
        assert other[name].segments[::-1] == pytest.approx(plain[name].segments, abs=1e-5)
        for ours, theirs in zip(other[name].spans[::-1], plain[name].spans, strict=True):
            assert [replace(span, confidence=0) for span in ours] == [
                replace(span, confidence=0) for span in theirs
            ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["regression", "xcomet"])
def test_two_devices_are_two_processes_and_keep_the_order(
    kind: str, checkpoint: Callable[[str], Path], cache: Path
) -> None:
    one = score(Comet("COMET", str(checkpoint(kind))))
    shutil.rmtree(cache / "comet")
    two = score(Comet("COMET", str(checkpoint(kind)), devices=["cpu", "cpu:0"]))
    for name in SYSTEMS:
        assert two[name].segments == pytest.approx(one[name].segments, abs=1e-5)


@pytest.mark.slow
def test_bfloat16_is_near(checkpoint: Callable[[str], Path]) -> None:
    plain = score(Comet("COMET", str(checkpoint("regression"))))["short"]
    faster = score(Comet("COMET", str(checkpoint("regression")), precision="bfloat16"))["short"]
    assert faster.segments != plain.segments
    assert faster.segments == pytest.approx(plain.segments, abs=0.05)


@pytest.mark.slow
def test_signature(checkpoint: Callable[[str], Path]) -> None:
    scorer = Comet("COMET (tiny)", str(checkpoint("regression")))
    found = score(scorer)["short"]
    identity = scorer.identity()
    assert found.signature == (
        f"COMET (tiny)|checkpoint:{identity['checkpoint']}|precision:float32|device:cpu"
        f"|max:{tiny_comet.POSITIONS - 2}|version:{identity['unbabel-comet']}"
    )
    assert (found.metric, found.decimals, found.higher_is_better) == ("COMET (tiny)", 3, True)
    assert score(Comet("COMET (tiny)", str(checkpoint("regression"))))["short"] == found


@pytest.mark.slow
def test_remarks(checkpoint: Callable[[str], Path]) -> None:
    """The tiny encoder reads 62 tokens; each of these words is at least one."""
    sources = ["中国的出口管制。", "中国。", "出口管制。", "中国"]
    hypotheses = ["China " * 100, "", "出口管制", "China"]
    task = parallel_task("test", "zh-en", sources, ["China."] * 4)
    scored = Comet("COMET", str(checkpoint("regression"))).score(task, {"a": hypotheses}, PARTIAL)
    assert scored["a"].remarks == ((0, "cut"), (1, "empty"), (2, "copied"))
    long_reference = parallel_task("test", "zh-en", sources, ["China."] * 3 + ["China " * 100])
    for kind, expected in (("regression", True), ("referenceless", False), ("kiwi", False), ("xcomet", True)):
        scorer = Comet("COMET", str(checkpoint(kind)))
        found = scorer.score(long_reference, {"a": ["China"] * 4}, PARTIAL)["a"]
        assert ((3, "cut") in found.remarks) == expected, kind


@pytest.mark.slow
def test_an_unknown_severity_is_one_sentence(checkpoint: Callable[[str], Path]) -> None:
    """XCOMET's labels are a hyperparameter of the checkpoint."""
    from bench.scorers import comet_model
    from bench.scorers.comet_checkpoint import find_files

    files = find_files(checkpoint("xcomet"), None)
    span = {"text": "x", "confidence": 0.5, "severity": "fatal", "start": 0, "end": 3}
    with pytest.raises(BenchError, match=r"marks errors that cannot be stored .*fatal"):
        list(comet_model._spans([span], files))
    (stored,) = comet_model._spans([{**span, "severity": "major"}, {**span, "end": 0}], files)
    assert (stored.start, stored.end, stored.severity, stored.confidence) == (0, 3, "major", 0.5)


# --- nothing is computed twice ---


@pytest.mark.slow
def test_a_new_system_costs_its_own_hypotheses(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = Encoded(monkeypatch)
    scorer = Comet("COMET", str(checkpoint("regression")))
    score(scorer)
    assert encoded.rows == len({*SOURCES, *REFERENCES, *SHORT, *SYSTEMS["mixed"]})
    encoded.rows = 0
    score(scorer, {**SYSTEMS, "new": [*SHORT[:30], *(text.upper() for text in SHORT[30:])]})
    assert encoded.rows == len(SHORT[30:])

    encoded.rows = 0
    scorer = Comet("XCOMET", str(checkpoint("xcomet")))
    score(scorer)
    distinct = len({*zip(SOURCES, SHORT, strict=True), *zip(SOURCES, SYSTEMS["mixed"], strict=True)})
    assert encoded.rows == 3 * distinct
    score(scorer, {"again": SHORT})
    assert encoded.rows == 3 * distinct


@pytest.mark.slow
def test_known_predictions_need_no_model(checkpoint: Callable[[str], Path]) -> None:
    folder = checkpoint("regression")
    score(Comet("COMET", str(folder)))
    code = f"""
import pathlib, sys
from bench.references.parallel import parallel_task
from bench.scorers.comet import Comet
task = parallel_task("test", "zh-en", {SOURCES}, {REFERENCES})
score = Comet("COMET", {str(folder)!r}).score(task, {{"a": {SHORT}}}, pathlib.Path("not written"))["a"]
assert "torch" not in sys.modules
print(score.value)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == score(Comet("COMET", str(folder)))["short"].value


@pytest.mark.slow
def test_a_damaged_cache_is_replaced(checkpoint: Callable[[str], Path], cache: Path) -> None:
    scorer = Comet("COMET", str(checkpoint("regression")))
    expected = score(scorer)
    (database,) = (cache / "comet").glob("*.sqlite")
    for damage in (b"not a database", database.read_bytes()[:5000], b""):
        database.write_bytes(damage)
        again = score(scorer)
        for name in SYSTEMS:
            assert again[name].segments == pytest.approx(expected[name].segments, abs=1e-5)
    assert len(Cache(database).predictions(zip(SOURCES, SHORT, REFERENCES, strict=True))) > 30


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comet_cache, "MAX_BYTES", 200_000)
    kept = Cache(tmp_path / "x.sqlite")
    samples = [(f"{number} {'x' * 500}", "", "") for number in range(2000)]
    for begin in range(0, 2000, 100):
        kept.keep_predictions({s: Prediction(0.5, False, "cpu") for s in samples[begin : begin + 100]})
    assert set(samples[-100:]) <= set(kept.predictions(samples))
    assert (tmp_path / "x.sqlite").stat().st_size < 300_000


# --- where a checkpoint comes from ---


@pytest.mark.slow
def test_a_local_checkpoint_needs_no_network(checkpoint: Callable[[str], Path], server: ModelServer) -> None:
    """In a process of its own, for what is read at import."""
    code = f"""
import pathlib
from bench.references.parallel import parallel_task
from bench.scorers.comet import Comet
scorer = Comet("COMET", {str(checkpoint("xcomet"))!r})
scorer.prepare()
task = parallel_task("test", "zh-en", ["中国"], ["China"])
scorer.score(task, {{"a": ["China"]}}, pathlib.Path("not written"))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert server.asked == []
    assert "Warning" not in done.stderr, "libraries are silent"


@pytest.mark.slow
def test_files_are_fetched_from_a_hub_once(
    checkpoint: Callable[[str], Path], server: ModelServer, tmp_path: Path
) -> None:
    """Checkpoint and encoder, at their commits; afterwards offline means offline."""
    folder = tiny_comet.checkpoint(tmp_path / "published", "regression", pretrained="org/encoder")
    server.offer_repository("org/tiny", folder, "hparams.yaml", "checkpoints/model.ckpt")
    names = [path.name for path in (folder / "encoder").iterdir()]
    server.offer_repository("org/encoder", folder / "encoder", *names)
    code = f"""
import pathlib
from bench.references.parallel import parallel_task
from bench.scorers.comet import Comet
scorer = Comet("COMET", "org/tiny@{COMMIT}", "org/encoder@{COMMIT}")
print(scorer.identity()["checkpoint"], scorer.identity()["encoder"])
scorer.prepare()
task = parallel_task("test", "zh-en", ["中国"], ["China"])
print(scorer.score(task, {{"a": ["China"]}}, pathlib.Path("not written"))["a"].signature)"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"org/tiny@{COMMIT} org/encoder@{COMMIT}\n")
    assert f"|checkpoint:org/tiny@{COMMIT}|encoder:org/encoder@{COMMIT}|" in done.stdout
    asked = len(server.asked)
    shutil.rmtree(tmp_path / "cache" / "comet")
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.stdout == done.stdout, again.stderr
    assert len(server.asked) == asked


def test_a_gated_checkpoint_says_which_licence(server: ModelServer, tmp_path: Path) -> None:
    id = "Unbabel/wmt22-cometkiwi-da"
    for name in ("hparams.yaml", "checkpoints/model.ckpt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    server.offer_repository(id, tmp_path, "hparams.yaml", "checkpoints/model.ckpt")
    server.gated = f"/{id}/resolve/"
    code = f"""
from bench.scorers.comet import Comet
Comet("CometKiwi", "{id}@{COMMIT}").prepare()"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    message = done.stderr.splitlines()[-1]
    assert "accepted at https://huggingface.co/Unbabel/wmt22-cometkiwi-da" in message
    assert "`hf auth login` or set HF_TOKEN" in message


def test_building_and_identity_are_cheap(server: ModelServer) -> None:
    code = """
import sys
from bench.launching.compose import compose, scorers
for metric in ("comet", "cometkiwi", "xcomet-xl", "xcomet-xxl"):
    (scorer,) = scorers(compose([f"metric=[{metric}]"])).values()
    assert scorer.identity()["checkpoint"].partition("@")[2], metric
sys.exit(str(heavy) if (heavy := {"torch", "comet", "transformers", "numpy"} & set(sys.modules)) else 0)"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert server.asked == []


def test_needs_names_the_files_to_fetch() -> None:
    pinned = Comet("COMET", f"org/tiny@{COMMIT}", f"org/encoder@{COMMIT}")
    assert [(weights.sources[0]["hub"], weights.files[0]) for weights in pinned.needs()] == [
        ("org/tiny", "hparams.yaml"),
        ("org/encoder", "*.json"),
    ]
    (embedded,) = scorers(compose(["metric=[comet-embedded]"])).values()
    assert [weights.file for weights in embedded.needs()] == ["e5-small-q4.bin"]


@pytest.mark.slow
def test_different_bytes_have_different_identities(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    shutil.copytree(checkpoint("regression"), folder)
    hparams = (folder / "hparams.yaml").read_text()
    (folder / "hparams.yaml").write_text(
        re.sub(r"pretrained_model: .*", "pretrained_model: encoder", hparams)
    )
    seen = [Comet("COMET", str(folder)).identity()["checkpoint"]]
    for name in ("checkpoints/model.ckpt", "hparams.yaml", "encoder/tokenizer.json"):
        with (folder / name).open("a") as file:
            file.write("\n")
        seen.append(Comet("COMET", str(folder)).identity()["checkpoint"])
    assert len(set(seen)) == 4


@pytest.mark.slow
def test_a_pickle_that_runs_code_is_refused(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    import torch

    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "executed"),)

    shutil.copytree(checkpoint("regression"), tmp_path / "evil")
    path = tmp_path / "evil" / "checkpoints" / "model.ckpt"
    torch.save({**torch.load(path, weights_only=True), "callbacks": Evil()}, path)
    scorer = Comet("COMET", str(tmp_path / "evil"))
    task = parallel_task("test", "zh-en", ["中"], ["C"])
    for work in (scorer.prepare, lambda: scorer.score(task, {"a": ["C"]}, PARTIAL)):
        with pytest.raises(BenchError, match=r"is damaged or contains more than weights .*mkdir"):
            work()
    assert not (tmp_path / "executed").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "hparams.yaml").unlink(), "lacks .*hparams.yaml"),
        (lambda folder: (folder / "hparams.yaml").write_text("[1, 2"), "is not a file that COMET writes"),
        (lambda folder: shutil.rmtree(folder / "encoder"), "set encoder to its folder, or to its hub id"),
        (lambda folder: (folder / "checkpoints" / "model.ckpt").write_bytes(b"torn"), "is damaged"),
        (lambda folder: _without(folder, "estimator.ff.0.weight"), "lacks 1 of its model's weights"),
    ],
    ids=["no hparams", "broken hparams", "no encoder", "torn", "a weight less"],
)
def test_incomplete_checkpoints(
    damage: Callable[[Path], Any], message: str, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("regression"), folder)
    hparams = (folder / "hparams.yaml").read_text()
    (folder / "hparams.yaml").write_text(
        re.sub(r"pretrained_model: .*", "pretrained_model: encoder", hparams)
    )
    assert score(Comet("COMET", str(folder)))["short"].segments
    damage(folder)
    with pytest.raises(BenchError, match=message):
        score(Comet("COMET", str(folder)))


def _without(folder: Path, name: str) -> None:
    import torch

    path = folder / "checkpoints" / "model.ckpt"
    saved = torch.load(path, weights_only=True)
    del saved["state_dict"][name]
    torch.save(saved, path)


@pytest.mark.slow
def test_without_the_package(checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import PackageNotFoundError

    def missing(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr("bench.scorers.comet.version", missing)
    with pytest.raises(BenchError, match=re.escape("pip install 'bitext-bench[comet]'")):
        Comet("COMET", str(checkpoint("regression"))).identity()


# --- in a run ---


@pytest.mark.slow
def test_a_missing_checkpoint_stops_before_anything_is_translated(tmp_path: Path) -> None:
    words = ["run", "system=copy", "direction=zh-en", "metric=[chrf,comet]"]
    done = bench(tmp_path, *words, status=2, HF_HUB_OFFLINE="1")
    assert "Traceback" not in done.stderr
    assert not run_folders(tmp_path / "runs")
    command = (
        r"`hf download Unbabel/wmt22-comet-da --revision \w{40} .* && hf download FacebookAI/xlm-roberta"
    )
    assert re.search(command, " ".join(done.stderr.split()))

    done = bench(tmp_path, *words, "metric.comet.required=false", HF_HUB_OFFLINE="1")
    assert set(run_folders(tmp_path / "runs")) == {"zh-en/copy"}
    assert "Continuing without comet" in done.stderr
    markdown = (
        tmp_path / "runs" / references.load("china-export-controls-2021").id / "leaderboard.md"
    ).read_text()
    assert re.search(r"^\| system \| rank \| chrF ↑ \| comet \|", markdown, re.MULTILINE)
    assert re.search(r"^\| \[copy .* \| – \| 39 copied \|", markdown, re.MULTILINE)
    assert "- comet is not available: " in markdown

    # A finished run is not scored without it either.
    bench(tmp_path, *words, status=2, HF_HUB_OFFLINE="1")


@pytest.mark.slow
def test_a_board_with_comet(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    words = ["run", "--quiet", "system=copy", "direction=zh-en", "metric=[chrf,comet]"]
    words += [f"metric.comet.checkpoint={checkpoint('xcomet')}", "metric.comet.encoder=null"]
    done = bench(tmp_path, *words, timeout=300)
    assert done.stderr == ""
    record = json.loads((run_folders(tmp_path / "runs")["zh-en/copy"] / "scores" / "comet.json").read_text())
    assert len(record["segments"]) == len(record["spans"]) == len(SEGMENTS)
    assert sum(remark == "copied" for _, remark in record["remarks"]) == len(SEGMENTS)
    cut = sum(remark == "cut" for _, remark in record["remarks"])
    assert cut > 0
    board = tmp_path / "runs" / "china-export-controls-2021"
    markdown = (board / "leaderboard.md").read_text()
    assert f"{record['value']:.3f} ± " in markdown
    assert f"the end of {cut} of 39 hypotheses was not scored" in markdown
    assert f"- COMET: `{record['signature']}`" in markdown
    shown = json.loads((board / "leaderboard.json").read_text())
    (row,) = shown["directions"]["zh-en"]["rows"]
    assert row["scores"]["comet"]["remarks"] == {"copied": 39, "cut": cut}
    assert not {"segments", "spans", "statistics"} & set(row["scores"]["comet"])


def test_a_batch_that_does_not_fit_into_memory_is_halved() -> None:
    def compute(batch: Sequence[int]) -> list[int]:
        if len(batch) > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return [index * 10 for index in batch]

    made = list(_halved([range(7), [7]], compute))
    assert [index for batch, _ in made for index in batch] == list(range(8))
    assert [value for _, values in made for value in values] == [index * 10 for index in range(8)]
    with pytest.raises(RuntimeError, match="out of memory"):
        list(_halved([[1]], lambda _: compute([1, 2, 3])))
