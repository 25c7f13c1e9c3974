"""Fixtures that several packages of tests share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import progress
from tests.helpers.browser import CHROMIUM
from tests.helpers.configs import CEDICT
from tests.helpers.model_server import ModelServer, serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with many slow tests come first, so that no process is left alone with one of them at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def progress_is_shown() -> None:
    """A command of an earlier test may have made this process quiet."""
    progress.configure(quiet=False)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A package index and a model hub on this machine; the environment sends every request to it."""
    yield from serving(tmp_path, monkeypatch)


@pytest.fixture
def cedict(tmp_path: Path) -> Path:
    """A small dictionary in the format of CC-CEDICT."""
    path = tmp_path / "cedict.txt"
    path.write_text(CEDICT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium. Not for the session: an open Playwright keeps an event loop running."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[dev]'")
    if not CHROMIUM:
        pytest.skip(
            "Chromium is missing: apt-get install -y --no-install-recommends chromium fonts-wqy-microhei"
        )
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()
