"""The day in the identity of a commercial service."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from bench.core import Hypothesis
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
