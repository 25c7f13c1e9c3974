"""Drives an adapter over a reference set and writes a run: plan, batch, keep what is finished, resume."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bench
from bench import store
from bench.core import Adapter, Direction, Hypothesis, Output, ReferenceSet, Source, digest, sides
from bench.flags import flags
from bench.progress import bar

RUN_FORMAT = 1
SAVE_EVERY = 1.0  # seconds: what a killed process may lose


def identity(adapter: Adapter, direction: Direction) -> str:
    """Hash of what changes the output of a system in one direction: not where it runs, nor in which batches."""
    return digest({"system": adapter.identity(), "direction": direction})


def is_current(run: store.Run | None, reference: ReferenceSet) -> bool:
    """Whether a run is whole and made from this very version of the set."""
    return run is not None and run.record["reference"] == {"id": reference.id, "sha256": reference.sha256}


def translate(
    adapter: Adapter,
    reference: ReferenceSet,
    direction: Direction,
    folder: Path,
    card: Mapping[str, Any],
    batch_size: int,
) -> None:
    """Make the run in `folder` whole. Only what is not translated yet is translated.

    `card` is what the system's yaml says of it (name, size, licence …) and goes into run.json as it is.
    Segments are batched longest first, so that a batch holds rows of about one length and what does not fit into memory
    fails at once. A segment whose translation failed with an error is tried again by the next run. Where a whole run
    only meets another version of the set and all its texts are translated, it keeps the record of how they were made.
    """
    earlier = store.read_run(folder)
    if earlier:
        earlier.check()
    system = identity(adapter, direction)
    source_language, _ = sides(direction)
    sources = [Source(segment.id, segment.text(source_language)) for segment in reference.segments]
    keys = {s.id: digest({"system": system, "id": s.id, "source": s.text}) for s in sources}
    done = {key: h for key, h in store.finished(folder).items() if not h.error}
    todo = sorted((s for s in sources if keys[s.id] not in done), key=lambda s: (-len(s.text), s.id))
    if todo:
        adapter.load()

    started = time.perf_counter()
    with bar(f"{card['name']} {direction}", total=len(todo), unit="segments") as advance:
        for start in range(0, len(todo), batch_size):
            batch = {source.id: source for source in todo[start : start + batch_size]}
            unsaved: list[Hypothesis] = []
            saved = time.monotonic()
            for id, output in adapter.translate(list(batch.values()), direction):
                hypothesis = _hypothesis(batch.pop(id), keys[id], output, direction)
                done[hypothesis.key] = hypothesis
                unsaved.append(hypothesis)
                advance(1)
                if time.monotonic() - saved > SAVE_EVERY:
                    store.append_journal(folder, unsaved)
                    unsaved, saved = [], time.monotonic()
            store.append_journal(folder, unsaved)
            if batch:
                raise RuntimeError(f"{type(adapter).__name__} gave nothing for {', '.join(batch)}")
    seconds = time.perf_counter() - started

    work = [done[keys[source.id]] for source in todo]
    hypotheses = [done[keys[source.id]] for source in sources]
    record = {
        "format": RUN_FORMAT,
        "system": dict(card),
        "adapter": adapter.identity(),
        "identity": system,
        "direction": direction,
        "reference": {"id": reference.id, "sha256": reference.sha256},
        "segments": len(hypotheses),
        "flags": dict(sorted(Counter(flag for h in hypotheses for flag in h.flags).items())),
        "work": _work(work, seconds, adapter.device, batch_size),
        "made": _made(),
    }
    if earlier and not todo:
        record.update({key: earlier.record[key] for key in ("work", "made")})
    store.write_run(folder, hypotheses, record)


def _work(hypotheses: Sequence[Hypothesis], seconds: float, device: str, batch_size: int) -> dict[str, Any]:
    """What the last attempt did: a resumed run counts only what it translated itself. Loading is not counted."""
    tokens = sum(h.tokens_out for h in hypotheses)
    return {
        "segments": len(hypotheses),
        "tokens_in": sum(h.tokens_in for h in hypotheses),
        "tokens_out": tokens,
        "seconds": round(seconds, 2),
        "segments_per_second": round(len(hypotheses) / seconds, 2) if hypotheses else None,
        "tokens_per_second": round(tokens / seconds, 2) if tokens else None,
        "device": device,
        "batch_size": batch_size,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        // (1024 if sys.platform != "darwin" else 1024**2),
    }


def _made() -> dict[str, Any]:
    """When and with what: all that is needed to do it again."""
    return {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "bench": bench.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {
            name: _version(name) for name in ("torch", "transformers", "tokenizers", "gguf", "numpy")
        },
    }


@cache
def _commit() -> str | None:
    """The checkout's commit, "-dirty" where it has changes; None outside a checkout."""
    command = [
        "git",
        "-C",
        str(Path(bench.__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
        "--exclude=*",
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _hypothesis(source: Source, key: str, output: Output, direction: Direction) -> Hypothesis:
    return Hypothesis(
        id=source.id,
        key=key,
        text=output.text,
        raw=output.raw,
        flags=flags(output, source.text, direction),
        error=output.error,
        tokens_in=output.tokens_in,
        tokens_out=output.tokens_out,
    )
