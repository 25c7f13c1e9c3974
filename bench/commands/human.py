"""`bench human export` and `bench human import`: a campaign for people, and what they say, on the boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bench import limits
from bench.boards.rows import Columns
from bench.boards.write import write_boards
from bench.commands.pages import build_boards, load_reference, published_columns
from bench.core import ReferenceSet, Score, Task
from bench.errors import BenchError
from bench.files import read_bytes
from bench.human import annotations as logs
from bench.human import campaign as campaigns
from bench.human import export as exporting
from bench.human import sampling
from bench.human import scores as scoring
from bench.human.campaign import Campaign, Protocol
from bench.human.sampling import First
from bench.languages import Direction
from bench.launching.compose import compose
from bench.scorers.human import Human
from bench.scoring import judgements, units
from bench.scoring.compare.stage import CompareSettings, compare_runs
from bench.scoring.driver import hash_of
from bench.store import Run, Store
from bench.store.lock import exclusive_lease

_MOST_ANNOTATORS = 1_000


@dataclass(frozen=True, slots=True)
class Settings:
    protocol: Protocol = "cESA"
    segments: int | None = None
    """At least this many, as whole pages; None for all."""
    first: First | None = None
    annotators: int = 1
    each: int = 1
    """How many annotators see a page."""
    prefill: Sequence[str] = ()
    """Metrics whose error spans are marked already."""
    seed: int = 12345


@dataclass(frozen=True, slots=True)
class Imported:
    metric: str
    path: Path
    """leaderboard.md"""
    scores: Mapping[str, Score]
    checks: Mapping[str, tuple[int, int]]
    """Annotator -> attention checks passed and seen."""
    left_out: Sequence[str]
    """Annotators who failed more than half of their checks."""
    agreement: str
    judgements: int
    """Number of translations with a judgement."""


def export(
    store: Store, set_id: str | None, direction: Direction, names: Sequence[str], settings: Settings
) -> Campaign:
    """A campaign of runs on one task. `names`: of runs or systems; none means all but the controls.

    Raises BenchError if there is nothing to judge, or what `settings` need is not in the store.
    """
    if not 1 <= settings.each <= settings.annotators <= _MOST_ANNOTATORS:
        raise BenchError(
            f"--each {settings.each} of --annotators {settings.annotators} is not possible: each page needs from 1 "
            f"to all annotators, and {_MOST_ANNOTATORS:,} are the limit."
        )
    reference = _reference(store, set_id)
    task = Task(reference, direction)
    runs = _runs(store, task, names)
    pages = sampling.pages(reference)
    values: Sequence[float] = [0.0] * len(task.ids)
    if settings.first == "disagreement":
        metrics = [
            m for m in published_columns(store, reference.id).metrics if not m.endswith(("-raw", "-folded"))
        ]
        by_metric = {m: _scores(store, runs, m) for m in metrics if m not in scoring.NAMES}
        complete = {m: list(s.values()) for m, s in by_metric.items() if len(s) == len(runs)}
        values = sampling.disagreement(complete)
    elif settings.first == "facts":
        found = [_scores(store, runs, metric) for metric in sampling.FACTS]
        if not any(found):
            raise BenchError(
                "--first facts needs scores of facts or obligations: run bench run 'stages=[score]' "
                "'metric=[bleu,chrf,facts,obligations]' first."
            )
        values = sampling.losses([score for scores in found for score in scores.values()], len(task.ids))
    taken, sample = sampling.sample(pages, settings.segments, settings.first, values, settings.seed)
    prefill = []
    for metric in settings.prefill:
        if not (scores := _scores(store, runs, metric)):
            raise BenchError(f"--prefill {metric}: {store.root} has no scores of {metric} for these runs.")
        prefill.append(scores)
    return exporting.build(
        f"{reference.id}-{direction}-{settings.protocol}",
        task,
        runs,
        taken,
        sample,
        settings.protocol,
        settings.annotators,
        settings.each,
        settings.seed,
        prefill,
    )


def write_campaign(path: Path, campaign: Campaign) -> None:
    from bench.files import write_json

    write_json(path, msgspec.to_builtins(campaign))


def import_annotations(
    store: Store, campaign_file: Path, annotations_file: Path, judgements_file: Path | None = None
) -> Imported:
    """Put people's scores into the store and write its boards. `judgements_file`: for `bench meta-evaluate`.

    Raises BenchError, and writes nothing, if a file is damaged, or the runs or the set are not those of the campaign.
    """
    campaign = campaigns.read(campaign_file)
    reference = _reference(store, campaign.bitext_bench.set)
    task = Task(reference, campaign.bitext_bench.direction)
    runs = _campaign_runs(store, task, campaign, campaign_file)
    everything = logs.read(annotations_file, campaign)
    checks = logs.checks(everything)
    left_out = [name for name, (passed, seen) in checks.items() if passed < seen / 2]
    used = [a for a in everything if a.annotator not in left_out]
    if not any(not a.item.is_check for a in used):
        raise BenchError(
            f"{annotations_file} has no judgements that count: its annotators judged nothing, or failed more than half "
            "of their attention checks."
        )
    source = scoring.source_hash(read_bytes(annotations_file, limits.DOCUMENT_BYTES))
    scores = scoring.scores(campaign, used, task, runs, source)
    set_units = units.units(reference)
    scores = {
        label: replace(score, interval=units.interval(score, set_units)) for label, score in scores.items()
    }
    told = scoring.judgements(campaign, scores, task, runs)
    if judgements_file:
        judgements.write(judgements_file, told)
    metric = scoring.METRICS[campaign.info.protocol]
    path = _write(store, task, runs, metric, scores, campaign.info.protocol)
    agreed = scoring.describe(scoring.agreement(used, campaign.info.protocol))
    return Imported(metric, path, scores, checks, left_out, agreed, len(told))


def _write(
    store: Store,
    task: Task,
    runs: Mapping[str, Run],
    metric: str,
    scores: Mapping[str, Score],
    protocol: Protocol,
) -> Path:
    set_id, columns = task.reference.id, published_columns(store, task.reference.id)
    columns = Columns(list(dict.fromkeys([*columns.metrics, metric])), columns.primary)
    with exclusive_lease(store.boards_lock(set_id), f"the boards of {set_id}"):
        for label, score in scores.items():
            store.write_score(runs[label], metric, hash_of(Human(protocol)), score)
        settings = CompareSettings(**compose([]).compare)
        compare_runs(store, task, [metric], settings)
        return write_boards(store, build_boards(store, task.reference, columns))


def _campaign_runs(store: Store, task: Task, campaign: Campaign, path: Path) -> dict[str, Run]:
    """The runs of the campaign. Raises BenchError if they or the set have changed since."""
    origin = campaign.bitext_bench
    if task.reference.sha256 != origin.set_sha256:
        raise BenchError(
            f"{path} was made from another version of {task.reference.id}: export a new campaign."
        )
    current = {run.label: run for run in store.current_runs(task)}
    runs = {}
    for label, sha256 in origin.hypotheses_sha256.items():
        run = current.get(label)
        if run is None or run.record.hypotheses_sha256 != sha256:
            raise BenchError(
                f"{store.root} does not have {label} as the campaign shows it: use --store with the folder that it was "
                "exported from."
            )
        runs[label] = run
    texts = {
        label: {h.id: campaigns.shown(h.text) for h in run.hypotheses_of(task)} for label, run in runs.items()
    }
    keys = exporting.run_keys(list(runs))
    for item in campaign.items.values():
        wrong = [
            key
            for key, text in item.tgt.items()
            if texts.get(keys.get(key, ""), {}).get(item.item_id) != text
        ]
        if wrong and not item.is_check:
            raise BenchError(
                f"{path}: the translation of {item.item_id[:80]!r} by {wrong[0][:80]!r} is not that of the run: "
                "export the campaign again."
            )
    return runs


def _reference(store: Store, set_id: str | None) -> ReferenceSet:
    set_ids = store.set_ids()
    if set_id is None and len(set_ids) == 1:
        set_id = set_ids[0]
    if set_id not in set_ids:
        raise BenchError(
            f"{store.root} has no boards of {set_id or 'one set'} ({', '.join(set_ids) or 'use bench run first'}): "
            "choose a set with --reference, or another store with --store."
        )
    assert set_id
    return load_reference(store, set_id)


def _runs(store: Store, task: Task, names: Sequence[str]) -> list[Run]:
    """The named runs, or all but the controls."""
    current = store.current_runs(task)
    if not names:
        chosen = [run for run in current if not run.record.system.control]
    else:
        chosen = []
        for name in names:
            exact = [run for run in current if name in (run.label, run.record.system.name)]
            found = exact or [run for run in current if run.label.startswith(name)]
            if len(found) != 1:
                raise BenchError(
                    f"{len(found)} runs of {task.direction} in {store.root} are called {name!r}: use one of "
                    f"{', '.join(run.label for run in current) or 'none yet'}."
                )
            chosen += [run for run in found if run not in chosen]
    if not chosen:
        raise BenchError(f"{store.root} has no system to judge in {task.direction}: use bench run first.")
    return chosen


def _scores(store: Store, runs: Sequence[Run], metric: str) -> dict[str, Score]:
    return {run.label: score for run in runs if (score := store.score(run, metric))}


def display_notes(campaign: Campaign) -> list[str]:
    """What annotators will not see as it is."""
    texts = [text for item in campaign.items.values() for text in (item.src, *item.tgt.values())]
    notes = []
    if brackets := sum("＜" in text for text in texts):
        notes.append(f"Texts in which < is shown as ＜, because Pearmut would read them as HTML: {brackets}.")
    return notes
