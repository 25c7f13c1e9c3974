"""The driver: what is translated again and what is not, in which batches, and what is left when something goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import answers, device_memory, references
from bench.core import Adapter, Context, Output, ReferenceSet, Source, Task, Unit
from bench.store.journal import Journal, read_journals
from bench.store.run import read_run
from bench.translation.batching import outputs
from bench.translation.driver import translate
from tests.helpers import tiny
from tests.helpers.stored import job

SET = references.load("china-export-controls-2021")


class Engine(Adapter):
    """A small engine that keeps what it was asked, and can be told to fail."""

    def __init__(self, context: Context | None = None) -> None:
        super().__init__("zh-en")
        self._context = context or Context()
        self.calls: list[list[str]] = []
        self.fails_on: dict[str, Exception] = {}
        self.errors: dict[str, str] = {}

    @property
    def context(self) -> Context:
        return self._context

    def identity(self) -> dict[str, Any]:
        return {"adapter": "engine"}

    def batch_cost(self, unit: Unit) -> int:
        return sum(len(source.text) for source in unit)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        self.calls.append([source.id for source in sources])
        for source in sources:
            if source.id in self.fails_on:
                raise self.fails_on.pop(source.id)
            error = self.errors.get(source.id, "")
            yield source.id, Output("" if error else f"In English: {source.id}", error=error, tokens_out=2)

    def asked(self) -> list[str]:
        return sorted(id for call in self.calls for id in call)


def run(
    folder: Path, engine: Engine, reference: ReferenceSet = SET, batch_tokens: int = 500, **card: Any
) -> dict[str, Any]:
    engine.calls.clear()
    translate(job(Task(reference, "zh-en"), engine, folder, batch_tokens, **card))
    complete = read_run(folder)
    assert complete
    assert [h.id for h in complete.hypotheses()] == [s.id for s in reference.segments]
    assert not list(folder.glob("journal*"))
    return dict(complete.document)


def changed(id: str) -> ReferenceSet:
    segments = tuple(replace(s, zh=s.zh + "新") if s.id == id else s for s in SET.segments)
    return replace(SET, segments=segments)


LONG = max(SET.segments, key=lambda s: len(s.zh)).id


def test_batches_are_rows_of_like_length_within_the_budget(tmp_path: Path) -> None:
    engine = Engine()
    run(tmp_path, engine)
    length = {s.id: len(s.zh) for s in SET.segments}
    assert engine.asked() == sorted(length)
    assert engine.calls[0][0] == LONG
    for call in engine.calls:
        assert len(call) == 1 or len(call) * max(length[id] for id in call) <= 500
    flat = [length[id] for call in engine.calls for id in call]
    assert flat == sorted(flat, reverse=True)
    assert len(engine.calls) < len(length) / 2


def test_an_engine_without_batches_gets_everything_at_once(tmp_path: Path) -> None:
    engine = Engine()
    engine.batch_cost = lambda unit: 0  # type: ignore[method-assign]
    run(tmp_path, engine, batch_tokens=1)
    assert len(engine.calls) == 1


def neighbours(id: str, following: int) -> list[str]:
    """A segment and the ones after it."""
    ids = [segment.id for segment in SET.segments]
    return ids[ids.index(id) : ids.index(id) + 1 + following]


@pytest.mark.parametrize(
    ("context", "retranslated"),
    [
        (Context(), ["1.1-p1-s2"]),
        (Context(previous=2), neighbours("1.1-p1-s2", 2)),
        (Context(together="paragraph"), [s.id for s in SET.segments if s.id.startswith("1.1-p1-")]),
        (Context(together="document"), [s.id for s in SET.segments]),
    ],
    ids=["alone", "previous", "paragraph", "document"],
)
def test_only_segments_that_saw_a_changed_text_are_translated_again(
    tmp_path: Path, context: Context, retranslated: list[str]
) -> None:
    engine = Engine(context)
    run(tmp_path, engine)
    record = run(tmp_path, engine, changed("1.1-p1-s2"))
    assert engine.asked() == sorted(retranslated)
    assert record["work"]["segments"] == len(retranslated)
    run(tmp_path, engine, changed("1.1-p1-s2"), batch_tokens=7)
    assert engine.calls == []


def test_what_was_finished_before_a_crash_is_kept_and_a_block_is_kept_whole(tmp_path: Path) -> None:
    engine = Engine(Context(together="paragraph"))
    paragraph = [s.id for s in SET.segments if s.id.startswith("1.1-p1-")]
    engine.fails_on[paragraph[1]] = RuntimeError("the machine is on fire")
    with pytest.raises(RuntimeError, match="on fire"):
        run(tmp_path, engine)
    kept = [entry.hypothesis.id for entry in read_journals(tmp_path)]
    assert kept, "what was finished is saved although an error came within the second"
    assert paragraph[0] not in kept, "half a paragraph could not be gone on with"
    record = run(tmp_path, engine)
    assert engine.asked() == sorted({s.id for s in SET.segments} - set(kept))
    assert record["work"]["segments"] == len(SET.segments)
    assert record["work"]["attempts"] == 2


def test_an_error_never_takes_the_place_of_a_finished_translation(tmp_path: Path) -> None:
    """A block is tried again as a whole; what had been translated of it stays, whatever comes of that."""
    engine = Engine(Context(together="paragraph"))
    engine.errors = {"1.1-p1-s2": "no answer"}
    run(tmp_path, engine)
    engine.errors = {"1.1-p1-s1": "no answer"}
    record = run(tmp_path, engine)
    assert "1.1-p1-s1" in engine.asked()
    assert not record["flags"].get("error")
    texts = {h.id: h.text for h in read_run(tmp_path).hypotheses()}
    assert texts["1.1-p1-s1"] == "In English: 1.1-p1-s1"


@pytest.mark.slow
def test_a_block_that_does_not_fit_into_memory_falls_back(tmp_path: Path) -> None:
    class Small(Engine):
        def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
            if len(sources) > 1:
                raise RuntimeError("CUDA out of memory")
            return super().translate(sources)

    record = run(tmp_path, Small(Context(together="document")), batch_tokens=100_000)
    assert not record["flags"].get("error")
    assert record["fell_back"] == len(SET.segments)


def test_errors_are_tried_again_and_nothing_else(tmp_path: Path) -> None:
    engine = Engine()
    engine.errors = {"preamble-p1-s1": "no answer", LONG: "no answer"}
    record = run(tmp_path, engine)
    assert record["flags"]["error"] == 2
    del engine.errors[LONG]
    record = run(tmp_path, engine)
    assert engine.asked() == sorted(["preamble-p1-s1", LONG])
    assert record["flags"]["error"] == 1


def test_killed_between_the_files_of_a_whole_run(tmp_path: Path) -> None:
    """The two states that the last moments can leave behind: no run.json yet, or the journal not yet gone."""
    engine = Engine()
    whole = run(tmp_path, engine)
    journal = tmp_path / "journal-earlier.jsonl"
    with Journal(tmp_path, "earlier") as log:
        log.add(read_run(tmp_path).hypotheses())  # type: ignore[union-attr]
    left = journal.read_bytes()
    record = run(tmp_path, engine, changed(LONG))
    assert engine.asked() == [LONG]
    assert record["work"]["segments"] == 1, "the work of another time is not counted again"

    journal.write_bytes(left)
    (tmp_path / "run.json").unlink()
    run(tmp_path, engine)
    assert engine.asked() == []
    assert read_run(tmp_path).record.hypotheses_sha256 == whole["hypotheses_sha256"]  # type: ignore[union-attr]


def test_out_of_memory_halves_the_batch_and_the_rest(tmp_path: Path) -> None:
    engine = Engine()
    engine.batch_cost = lambda unit: 10  # type: ignore[method-assign]
    ids = sorted(s.id for s in SET.segments)
    engine.fails_on = {ids[10]: RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")}
    run(tmp_path, engine, batch_tokens=160)
    first, *rest = engine.calls
    assert len(first) == 16
    assert max(map(len, rest)) == 8
    done = first[:10]
    assert sorted([*done, *(id for call in rest for id in call)]) == ids, (
        "what was finished is not done twice"
    )


def test_a_row_that_does_not_fit_alone_is_an_error_of_that_segment(tmp_path: Path) -> None:
    class Small(Engine):
        def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
            if any(source.id == LONG for source in sources):
                raise MemoryError("no room")
            return super().translate(sources)

    record = run(tmp_path, Small())
    assert record["flags"]["error"] == 1
    (failed,) = [h for h in read_run(tmp_path).hypotheses() if h.error]
    assert (failed.id, failed.error) == (LONG, "out of memory: no room")


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",  # torch
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED",  # CTranslate2
        "CUDA failed with error out of memory",
        "CUDA driver error: CUDA_ERROR_OUT_OF_MEMORY",
        "HIP error: hipErrorOutOfMemory",
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes",
    ],
)
def test_how_libraries_say_that_memory_has_ended(message: str) -> None:
    assert device_memory.is_out_of_memory(RuntimeError(message))


def test_another_error_is_not_taken_for_memory(tmp_path: Path) -> None:
    engine = Engine()
    engine.fails_on[LONG] = RuntimeError("shape mismatch")
    with pytest.raises(RuntimeError, match="shape mismatch"):
        run(tmp_path, engine)


def test_an_engine_that_leaves_a_segment_out_is_found_out() -> None:
    class Forgetful(Engine):
        def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
            return super().translate(sources[:-1])

    with pytest.raises(RuntimeError, match="returned nothing for b"):
        list(outputs(Forgetful(), [Source("a", "一二"), Source("b", "三")], 100))


def test_the_record_says_what_it_cost(tmp_path: Path) -> None:
    engine = Engine()
    record = run(tmp_path, engine, price={"input": 1.0, "output": 4.0}, size="1B")
    work = record["work"]
    assert work["tokens_out"] == 2 * len(SET.segments)
    assert work["cost_usd"] == pytest.approx(4 * work["tokens_out"] / 1e6)
    assert work["seconds"] >= 0
    assert work["device"] == "cpu"
    assert record["system"]["size"] == "1B"
    assert record["made"]["packages"]["torch"]


_UNDER_A_LIMIT = """
import json, re, resource, sys
import torch
torch.set_num_threads(1)
from bench import references
from bench.translation import batching
from bench.adapters import llm
from bench.core import Context, Source, Task
from bench.prompt import Prompt

def used(what):
    return int(re.search(what + r":\\s*(\\d+) kB", open("/proc/self/status").read())[1]) << 10

llm._GROUP = 1000  # read at once: few large tensors, so that torch meets the limit and not Python
adapter = llm.LLM(sys.argv[1], Prompt("p", "Translate: {source}"), max_new_tokens=12, direction="zh-en")
adapter.load()
some = batching.sources(Task(references.load("china-export-controls-2021"), "zh-en"), Context())
sources = [Source(f"{n}-{s.id}", s.text) for n in range(24) for s in some]
def outputs(batch_tokens):
    return {source.id: output for source, output, _ in batching.outputs(adapter, sources, batch_tokens)}

small = outputs(8000)
limit = used("VmData") + (200 << 20)
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
large = outputs(1 << 30)
print(json.dumps({"same": small == large, "errors": sum(bool(o.error) for o in large.values())}))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits the memory of a process as Linux does"
)
def test_a_process_whose_memory_really_ends_goes_on_with_less(tmp_path: Path) -> None:
    """All 936 rows at once do not fit into the 200 MB that are left; torch's own allocator says so."""
    checkpoint = tiny.qwen(tmp_path / "checkpoint")
    done = subprocess.run(
        [sys.executable, "-c", _UNDER_A_LIMIT, str(checkpoint)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Out of memory at batch size 936; retrying with 468." in done.stderr
    assert json.loads(done.stdout) == {"same": True, "errors": 0}


def test_a_model_that_spends_its_limit_on_reasoning_gets_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Thinker(Engine):
        def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
            for source in sources:
                text = "In today's world, countries are part of one community." * (len(source.text) > 40)
                yield source.id, Output(text, tokens_out=64, truncated=not text)

    record = run(tmp_path, Thinker())
    unanswered = sum(len(segment.zh) <= 40 for segment in SET.segments)
    assert record["flags"]["truncated"] == record["flags"]["empty"] == unanswered
    said = " ".join(capsys.readouterr().err.split())
    assert (
        f"{unanswered} answers ended at the limit while the model was still reasoning: raise the limit"
        in said
    )


def test_a_new_version_of_cleaning_needs_no_model(tmp_path: Path) -> None:
    """A finished run that an older version has evaluated is completed again from its answers."""
    engine = Engine()
    run(tmp_path, engine)
    path = tmp_path / "run.json"
    record = json.loads(path.read_text("utf-8"))
    assert record["answers"]["version"] == answers.VERSION
    path.write_text(json.dumps({**record, "answers": {"version": 2}, "flags": {}}), "utf-8")
    engine.calls.clear()
    again = run(tmp_path, engine)
    assert engine.calls == []
    assert {**again, "made": None} == {**record, "made": None}
