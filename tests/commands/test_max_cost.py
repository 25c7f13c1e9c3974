"""`max_cost` stops before the limit is passed, counts what killed runs have cost, and goes on with a higher limit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import references
from bench.api import Results
from bench.budget import Budget, CostLimit, Meter
from bench.commands.plan import plan, total_cost
from bench.commands.run import run as bench_run
from bench.commands.work import work as work_here
from bench.errors import BenchError
from bench.records import Price
from bench.usage import Usage
from tests.helpers.hostile_server import Received, Reply, completion
from tests.helpers.hostile_server import serving as serving_endpoint
from tests.helpers.services import Answer, Call, environment, serving

SOURCES = [segment.zh for segment in references.load("china-export-controls-2021").segments]
CHARACTERS = sum(map(len, SOURCES))
PRICE = 1000.0  # US dollars per million characters: 0.001 per character


COMMON = ["metric=[chrf]", "direction=zh-en", "quiet=true"]


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**environment("deepl"), "OPENAI_API_KEY": "no-key"}.items():
        monkeypatch.setenv(name, value)


def run(*overrides: str) -> None:
    bench_run([*COMMON, *overrides])


def stopped(*overrides: str) -> str:
    """The sentence with which a run ends."""
    with pytest.raises(BenchError) as caught:
        run(*overrides)
    return str(caught.value)


def billed(calls: list[Call]) -> int:
    return sum(len(call.text) for call in calls)


@pytest.mark.slow
def test_a_run_stops_before_the_limit_and_goes_on_with_a_higher_one(tmp_path: Path) -> None:
    with serving("deepl", lambda call, attempt: f"About {len(call.text)} rules.") as server:
        system = [
            "system=deepl",
            f"system.adapter.base_url={server.url}",
            f"+system.price.characters={PRICE}",
        ]
        shown = stopped(*system, "max_cost=0.9")
        assert "The next request might pass max_cost=0.9 US dollars" in shown
        assert "run again with a higher max_cost to go on; finished work is kept" in shown
        first = billed(server.calls)
        assert 900 - max(map(len, SOURCES)) < first <= 900

        planned = plan([*COMMON, *system, "max_cost=1.5"])
        assert total_cost(planned.jobs) == pytest.approx((CHARACTERS - first) / 1000)
        assert planned.spent == pytest.approx(first / 1000)

        stopped(*system, "max_cost=1.5")
        second = billed(server.calls)
        assert first < second <= 1500

        run(*system, "max_cost=100")
        run(*system, "max_cost=100")
    assert billed(server.calls) == CHARACTERS, "nothing is paid twice"
    (record,) = tmp_path.glob("runs/*/zh-en/deepl-*/run.json")
    work = json.loads(record.read_text())["work"]
    assert (work["characters"], work["cost_usd"]) == (CHARACTERS, pytest.approx(CHARACTERS / 1000))
    assert work["attempts"] == 3


@pytest.mark.slow
def test_what_a_killed_run_has_cost_counts() -> None:
    def script(call: Call, attempt: int) -> str:
        time.sleep(0.05)
        return "A rule."

    with serving("deepl", script) as server:
        system = [
            "system=deepl",
            f"system.adapter.base_url={server.url}",
            f"+system.price.characters={PRICE}",
        ]
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", "run", *COMMON, *system, "max_cost=100"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while len(server.calls) < 20 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed = billed(server.calls)
        in_flight = max(map(len, SOURCES)) * 6  # sent, but not yet in the journal: four requests at once
        limit = (killed + 200) * PRICE / 1e6
        stopped(*system, f"max_cost={limit}")
    assert killed < billed(server.calls) <= killed + 200 + in_flight


@pytest.mark.slow
def test_tokens_are_counted_too() -> None:
    """The server reports 10 and 5 tokens for each request: (10 x 100 + 5 x 1000) / 10^6 = 0.006 US dollars."""

    def script(request: Received) -> Reply:
        return completion("A rule.")

    with serving_endpoint(script) as server:
        system = [
            "system=openai",
            "system.name=paid",
            "system.adapter.model=tiny",
            f"system.adapter.base_url={server.url}",
            "system.adapter.options.max_tokens=20",
            "+system.price={input: 100, output: 1000}",
        ]
        unpriced = stopped(*system[:-1], "max_cost=1")
        assert (
            "max_cost needs the price of paid: set system.price.characters, or system.price.input" in unpriced
        )
        assert not server.received
        stopped(*system, "max_cost=0.15")
        # At least 0.02 of the largest possible cost of a request are kept back each time.
        assert 2 <= len(server.received) <= 0.15 / 0.006
        unlimited = stopped(*system, "~system.adapter.options.max_tokens", "max_cost=1")
        assert "max_cost needs a limit on the tokens of an answer" in unlimited
        run(*system, "max_cost=10")
    assert len(server.received) == len(SOURCES)


@pytest.mark.slow
def test_a_retry_does_not_forget_what_the_run_has_cost(tmp_path: Path) -> None:
    last = SOURCES[-1]

    def script(call: Call, attempt: int) -> str | Answer:
        return Answer(400, {"message": "a bad text"}) if call.text == last and attempt < 3 else "A rule."

    with serving("deepl", script) as server:
        system = [
            "system=deepl",
            f"system.adapter.base_url={server.url}",
            f"+system.price.characters={PRICE}",
        ]
        run(*system)
        assert plan([*COMMON, *system]).spent == pytest.approx((CHARACTERS - len(last)) / 1000)
        run(*system, "max_cost=100")
        run(*system, "max_cost=100")
    (record,) = tmp_path.glob("runs/*/zh-en/deepl-*/run.json")
    work = json.loads(record.read_text())["work"]
    assert work["cost_usd"] == pytest.approx(len(last) / 1000)
    assert work["earlier_cost_usd"] == pytest.approx((CHARACTERS - len(last)) / 1000)
    assert plan([*COMMON, *system]).spent == pytest.approx(CHARACTERS / 1000)
    (row,) = Results(tmp_path / "runs").runs()
    assert row["cost_usd"] == pytest.approx(CHARACTERS / 1000)


def test_processes_that_spend_side_by_side_have_no_common_limit() -> None:
    with pytest.raises(BenchError, match="max_cost counts the jobs of one command: use bench run"):
        work_here([*COMMON, "system=deepl", "+system.price.characters=1", "max_cost=1"])


def test_a_budget_is_never_passed_by_several_threads() -> None:
    budget = Budget(1.0, 0.4)
    meter = Meter(budget, Price(characters=1e6))
    with meter.request(Usage(characters=0)), meter.request(Usage(characters=0)):
        pass
    priced = Meter(budget, Price(characters=100_000))  # 0.1 US dollars per character
    with priced.request(Usage(characters=4)) as bill:
        with (
            pytest.raises(CostLimit, match=r"max_cost=1 US dollars \(0\.8000 are spent or reserved\)"),
            priced.request(Usage(characters=3)),
        ):
            raise AssertionError("nothing may be sent")
        bill.used = Usage(characters=1)
    with pytest.raises(CostLimit), priced.request(Usage(characters=1)):
        raise AssertionError("after that nothing is sent, however small it is")


def test_an_attempt_without_an_answer_counts_as_paid() -> None:
    meter = Meter(Budget(1.0, 0.0), Price(characters=100_000))
    with pytest.raises(TimeoutError), meter.request(Usage(characters=6)):
        raise TimeoutError
    with pytest.raises(CostLimit), meter.request(Usage(characters=6)):
        raise AssertionError("it might have been billed")
