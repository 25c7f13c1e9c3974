"""What servers say of their limits in the headers of an answer, kept to by all threads that ask them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from bench import progress

_LONGEST_WAIT = 600.0  # seconds; then it is worth asking, whatever a header says
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|)")
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Gate:
    """Every request passes here, repeated ones too: they are counted, and where the server says that a limit is used up,
    they wait until it is reset and do not run into it."""

    def __init__(self) -> None:
        self.requests = 0
        self._opens = 0.0  # on the monotonic clock
        self._lock = threading.Lock()

    def before(self, _request: Any) -> None:
        while (wait := self._opens - time.monotonic()) > 0:
            time.sleep(wait)
        with self._lock:
            self.requests += 1

    def after(self, response: Any) -> None:
        wait = min(_wait(response.status_code, response.headers), _LONGEST_WAIT)
        with self._lock:
            opens = time.monotonic() + wait
            longer, self._opens = opens - self._opens, max(opens, self._opens)
        if wait >= 10 and longer >= 10:  # said once, and not by each thread
            progress.say(f"A limit of the endpoint is used up: waiting {wait:.0f} s.")


def _wait(status: int, headers: Mapping[str, str]) -> float:
    """Seconds until the next request makes sense. x-ratelimit-*: OpenAI's and others', in OpenAI's way of writing times."""
    waits = [0.0]
    for what in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{what}") == "0":
            waits.append(_seconds(headers.get(f"x-ratelimit-reset-{what}", "")))
    if status in (429, 503):
        waits.append(_seconds(headers.get("retry-after-ms", "") + "ms"))
        waits.append(_seconds(headers.get("retry-after", "")))
    return max(waits)


def _seconds(text: str) -> float:
    """ "6m0s" -> 360.0, "20ms" -> 0.02, "7" -> 7.0; 0 for what is no duration."""
    parts = _DURATION.findall(text)
    whole = "".join(number + unit for number, unit in parts) == text
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if whole else 0.0
