"""Files and snapshots of the Hugging Face Hub, through huggingface_hub and its cache.

That library resumes downloads, finds the user's token, and follows HF_ENDPOINT, HF_HOME and HF_HUB_OFFLINE.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import progress
from bench.checkpoints.registry import TIMEOUT, UnusableSource, explain, network_cause
from bench.errors import BenchError
from bench.files import write_text

GATED = "asks for a licence to be accepted at"
"""Occurs in the reason if the user must accept the licence of a gated repository on its page."""

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class HubFile:
    """A file of a repository at a revision, or its snapshot."""

    repository: str
    revision: str
    file: str
    """"" for the snapshot, limited to `patterns`."""
    patterns: tuple[str, ...]
    note: Path
    """A file that says where the complete download is, so that no network is needed to find it."""

    @property
    def pinned(self) -> dict[str, Any]:
        """Repository and revision as huggingface_hub's keyword arguments."""
        return {"repo_id": self.repository, "revision": self.revision}


def in_hub_cache(target: HubFile) -> Path | None:
    """The local file or folder if it is complete in the hub's cache. Never uses the network."""
    return _noted(target) or _without_network(target)


def fetch(target: HubFile, into: Path | None = None) -> Path:
    """The local file or folder, downloaded if necessary. Raises UnusableSource if that fails.

    `into`: the folder for a file that the hub's cache does not have; None for that cache.
    """
    import huggingface_hub
    from huggingface_hub import constants, utils
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

    if path := _noted(target):
        return path
    show_bars = not progress.is_quiet() and sys.stderr.isatty() and not utils.are_progress_bars_disabled()
    (utils.enable_progress_bars if show_bars else utils.disable_progress_bars)()
    try:
        try:
            # one request that fails fast: a download would retry for a long time
            huggingface_hub.HfApi().model_info(**target.pinned, timeout=TIMEOUT)
        except connection_errors() as error:
            if path := _without_network(target):
                return path
            if isinstance(error, HfHubHTTPError):  # the hub has answered
                raise
            raise UnusableSource(f"the hub cannot be reached ({network_cause(str(error))})") from None
        if not show_bars:
            progress.say(f"Fetching the hub's {target.repository}@{target.revision}.")
        if into:
            return (COMMIT.fullmatch(target.revision) and _without_network(target)) or _download(
                target, into=into
            )
        path = _download(target)
        with suppress(BenchError):  # without the note, the next call asks the hub once more
            write_text(target.note, str(path))
        return path
    except GatedRepoError:
        raise UnusableSource(_gated(target)) from None
    except connection_errors(ValueError) as error:  # ValueError: not a valid hub id
        raise UnusableSource(explain(error, Path(constants.HF_HUB_CACHE))) from None


def refusal_reason(target: HubFile, seconds: float) -> str:
    """Why the hub does not let this user download it; "" if it does.

    Sends one request, with the user's token if there is one, and waits at most `seconds` for the answer.
    """
    import huggingface_hub
    from huggingface_hub import errors

    plain_names = (pattern for pattern in target.patterns if "*" not in pattern)
    file = target.file or next(plain_names, "config.json")
    url = huggingface_hub.hf_hub_url(target.repository, file, revision=target.revision)
    try:
        huggingface_hub.get_hf_file_metadata(url, timeout=seconds)
    except errors.EntryNotFoundError:
        return ""  # not every model has this file, but the repository can be read
    except errors.GatedRepoError:
        return _gated(target)
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no status"
        return f"the hub does not give you {target.repository}@{target.revision[:12]} ({status})"
    except connection_errors(ValueError) as error:
        return f"the hub cannot be reached ({network_cause(str(error))})"
    return ""


def connection_errors(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """`more`, and what huggingface_hub raises without a connection: errors of requests, which are OSErrors, or since
    its version 1 errors of httpx, which are none. Call it where an error is caught: it imports nothing."""
    clients = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return (OSError, *more, *(kind for client in clients for kind in (client.HTTPError, client.InvalidURL)))


def _gated(target: HubFile) -> str:
    return f"the hub {GATED} https://huggingface.co/{target.repository}"


def _download(target: HubFile, local_files_only: bool = False, into: Path | None = None) -> Path:
    import huggingface_hub

    if target.file:
        return Path(
            huggingface_hub.hf_hub_download(
                **target.pinned, filename=target.file, local_files_only=local_files_only, local_dir=into
            )
        )
    return Path(
        huggingface_hub.snapshot_download(
            **target.pinned, allow_patterns=[*target.patterns], local_files_only=local_files_only
        )
    )


def _noted(target: HubFile) -> Path | None:
    """Where the note says it is, if it still is."""
    if COMMIT.fullmatch(target.revision) and target.note.is_file():
        path = Path(target.note.read_text(encoding="utf-8"))
        return path if path.exists() else None
    return None


def _without_network(target: HubFile) -> Path | None:
    """What any program has left in the hub's cache, unless a download of this repository is unfinished."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    with suppress(LocalEntryNotFoundError):
        path = _download(target, local_files_only=True)
        if target.file or not any((path.parents[1] / "blobs").glob("*.incomplete")):
            return path
    return None
