"""The day in the identity of a commercial service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bench.commands.run import read_suite
from bench.core import Hypothesis
from bench.launching import jobs
from bench.launching.compose import compose, reference
from bench.launching.jobs import translation_job
from bench.store.journal import Journal
from bench.translation.driver import TranslationJob


def job(store: Path, *overrides: str) -> TranslationJob:
    config = compose(["system=deepl", "direction=zh-en", f"store={store}", *overrides])
    return translation_job(config, reference(config))


def test_a_later_day_finds_the_run_again(tmp_path: Path) -> None:
    """Its folder may hold a journal only. One that holds nothing but the reason of a failure is no run."""
    today = datetime.now(timezone.utc).date()
    days = [str(today - timedelta(days=number)) for number in (9, 5, 1)]
    older, old, failed = (job(tmp_path, f"system.adapter.date={day}").folder for day in days)
    for folder in (older, old, failed):
        folder.mkdir(parents=True)
    (failed / "failure.json").write_text('{"error": "no key"}')
    assert job(tmp_path).card.released in (str(today), str(today + timedelta(days=1)))
    for folder in (older, old):
        with Journal(folder, "killed") as journal:
            journal.add([Hypothesis("1", "key", "text", "", (), "")])
    assert job(tmp_path).folder == old
    assert job(tmp_path).card.released == days[1]
    assert job(tmp_path, "+system.adapter.options.formality=more").folder not in (older, old)
    assert job(tmp_path, f"system.adapter.date={today}").folder not in (older, old, failed)


def test_a_job_that_begins_after_midnight_has_the_day_of_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = read_suite(["system=deepl,baidu", f"store={tmp_path}", "metric=[chrf]"])
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return tomorrow

    monkeypatch.setattr(jobs, "datetime", Tomorrow)
    begun = [
        translation_job(compose(list(request.overrides)), job.task.reference)
        for request, job in zip(suite.requests, suite.jobs, strict=True)
    ]
    assert [job.folder for job in begun] == [job.folder for job in suite.jobs]
    again = read_suite(["system=deepl,baidu", f"store={tmp_path}", "metric=[chrf]"])
    assert not {job.folder for job in begun} & {job.folder for job in again.jobs}, "else this shows nothing"
