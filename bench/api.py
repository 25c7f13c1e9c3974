"""A store for people who work in Python: its runs, scores and translations as rows.

    import bench

    results = bench.open("runs")
    results.scores().to_pandas().pivot_table(index="system", columns=["direction", "metric"], values="value")

Nothing is written or computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.commands.pages import load_reference
from bench.core import Task
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.scoring.compare import Comparison, Comparisons
from bench.scoring.compare.stage import is_older, read_comparisons
from bench.store import Run, Store

if TYPE_CHECKING:
    import pandas


class Table(list[dict[str, Any]]):
    """Rows with the same keys."""

    def to_pandas(self) -> pandas.DataFrame:
        """Raises BenchError if pandas is not installed."""
        try:
            import pandas
        except ImportError:
            raise BenchError("pandas is not installed: pip install pandas.") from None
        return pandas.DataFrame(list(self))


class Results:
    """Everything that a store holds. `folder`: a store of `bench run`, or published results."""

    def __init__(self, folder: str | Path) -> None:
        if not isinstance(folder, (str, Path)):
            raise BenchError(f"{folder!r:.80} is not a path: give the folder of a store, as in 'runs'.")
        self._store = Store(folder)
        self.sets = self._store.set_ids()
        """Ids of the reference sets."""
        if not self.sets:
            raise BenchError(
                f"{folder} has no leaderboards: name a store of `bench run`, or published results."
            )

    def runs(self) -> Table:
        """One row per run: system, settings that a board shows, cost."""
        return Table(
            {
                **_names(run),
                "size": run.record.system.size,
                "licence": run.record.system.licence,
                "segments": run.record.segments,
                "flags": dict(run.record.flags),
                "seconds": run.record.work.seconds,
                "tokens_in": run.record.work.tokens_in,
                "tokens_out": run.record.work.tokens_out,
                "cost_usd": run.record.work.total_cost_usd,
                "device": run.record.work.device,
                "folder": str(run.folder),
            }
            for run in self._runs()
        )

    def scores(self) -> Table:
        """One row per run and metric: the value, the ends of its 95 % interval, the ends of its range of ranks (None
        for a control, and without tests), and its signature."""
        rows = Table()
        for run in self._runs():
            for metric in self._store.metrics(run):
                if score := self._store.score(run, metric):
                    low, high = score.interval or (None, None)
                    tests = self._tests(run.record.reference.id, run.record.direction, metric)
                    best, worst = tests.ranks.get(run.label, (None, None)) if tests else (None, None)
                    ranks = {"rank_best": best, "rank_worst": worst}
                    values = {
                        "value": score.value,
                        "low": low,
                        "high": high,
                        **ranks,
                        "signature": score.signature,
                    }
                    rows.append({**_names(run), "metric": metric, **values})
        return rows

    def tests(self) -> Table:
        """One row per pair of runs and metric: the difference a − b with the ends of its 95 % interval, both p-values
        (decide by p_adjusted), and the minimum detectable difference. a is the better run of the two."""
        rows = Table()
        for set_id in self.sets:
            for direction in self._store.directions(set_id):
                runs = self._store.runs_in(set_id, direction)
                for metric in sorted({metric for run in runs for metric in self._store.metrics(run)}):
                    if tests := self._tests(set_id, direction, metric):
                        names = {"set": set_id, "direction": direction, "metric": metric}
                        rows += [{**names, **_pair(pair)} for pair in tests.pairs]
        return rows

    def segments(self, set_id: str, direction: Direction) -> Table:
        """One row per run and segment: source, reference, hypothesis, flags, and a score by each metric.

        Only runs of the present version of the set have rows. Raises BenchError if the set cannot be loaded.
        """
        sides(direction)
        if set_id not in self.sets:
            raise BenchError(f"{set_id!r} is not a set here: use one of {', '.join(self.sets)}.")
        task = Task(load_reference(self._store, set_id), direction)
        rows = Table()
        for run in self._store.current_runs(task):
            scores = {metric: self._store.score(run, metric) for metric in self._store.metrics(run)}
            for number, hypothesis in enumerate(run.hypotheses_of(task)):
                row = {
                    **_names(run),
                    "id": hypothesis.id,
                    "source": task.sources[number],
                    "reference": task.references[number],
                    "hypothesis": hypothesis.text,
                    "flags": list(hypothesis.flags),
                }
                values = {metric: score.segments[number] for metric, score in scores.items() if score}
                if columns := sorted(row.keys() & values.keys()):
                    raise BenchError(
                        f"{run.folder}/scores/{columns[0]}.json has the name of a column: rename the metric."
                    )
                rows.append({**row, **values})
        return rows

    def _tests(self, set_id: str, direction: Direction, metric: str) -> Comparisons | None:
        value = self._store.comparisons_in(set_id, direction, metric)
        return read_comparisons(value, metric) if value and not is_older(value) else None

    def _runs(self) -> Iterator[Run]:
        for set_id in self.sets:
            for direction in self._store.directions(set_id):
                yield from self._store.runs_in(set_id, direction)


def _pair(pair: Comparison) -> dict[str, Any]:
    low, high = pair.interval or (None, None)
    return {
        "a": pair.a,
        "b": pair.b,
        "difference": pair.difference,
        "low": low,
        "high": high,
        "p": pair.p_sacrebleu,
        "p_adjusted": pair.p_adjusted,
        "significant": pair.significant,
        "minimum_detectable_difference": pair.minimum_detectable_difference,
    }


def _names(run: Run) -> dict[str, Any]:
    record = run.record
    return {
        "set": record.reference.id,
        "direction": record.direction,
        "system": record.system.name,
        "run": run.label,
    }
