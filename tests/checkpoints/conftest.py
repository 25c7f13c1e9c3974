from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.model_server import ModelServer, serving


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    yield from serving(tmp_path, monkeypatch)
