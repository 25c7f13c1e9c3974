"""Files and snapshots of a model hub, in huggingface_hub's own cache, which resumes, knows tokens, and heeds HF_HOME and
HF_HUB_OFFLINE."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import progress
from bench.checkpoints.registry import TIMEOUT, Unusable, cause, explain

GATED = "asks for a licence to be accepted at"
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Wanted:
    repository: str
    revision: str
    file: str
    """"": the snapshot, as far as `patterns` go."""
    patterns: tuple[str, ...]
    note: Path
    """Says where it lies in the hub's cache, once it was fetched entirely: then no network is needed."""

    @property
    def pinned(self) -> dict[str, Any]:
        return {"repo_id": self.repository, "revision": self.revision}


def here(wanted: Wanted) -> Path | None:
    """What is there without asking anybody."""
    return _noted(wanted) or _in_cache(wanted)


def fetch(wanted: Wanted) -> Path:
    """The local file or folder. Raises Unusable where it cannot be had."""
    import huggingface_hub as hub
    from huggingface_hub import constants, utils
    from huggingface_hub.errors import GatedRepoError
    from requests import ConnectionError as RequestsConnectionError
    from requests import Timeout

    if found := _noted(wanted):
        return found
    bars = not progress.quiet and sys.stderr.isatty() and not utils.are_progress_bars_disabled()
    (utils.enable_progress_bars if bars else utils.disable_progress_bars)()
    try:
        try:
            # asks once, where a download would try for long
            hub.HfApi().model_info(**wanted.pinned, timeout=TIMEOUT)
        except OSError as unreachable:  # then what already lies in the hub's cache will do
            if found := _in_cache(wanted):
                return found
            if isinstance(unreachable, (ConnectionError, RequestsConnectionError, Timeout)):
                raise Unusable(f"the hub cannot be reached ({cause(str(unreachable))})") from None
            raise
        if not bars:
            progress.say(f"Fetching the hub's {wanted.repository}@{wanted.revision}.")
        found = _download(wanted)
        with suppress(OSError):  # a cache that cannot be written costs one question the next time
            write(wanted.note, str(found))
        return found
    except GatedRepoError:
        raise Unusable(f"the hub {GATED} https://huggingface.co/{wanted.repository}") from None
    except (OSError, ValueError) as error:  # ValueError: not a valid hub id
        raise Unusable(explain(error, Path(constants.HF_HUB_CACHE))) from None


def refused(wanted: Wanted, seconds: float) -> str:
    """Why the hub does not hand it out, "" where it does: one question, with the user's token where there is one."""
    import huggingface_hub as hub
    import requests
    from huggingface_hub import errors, utils

    named = (pattern for pattern in wanted.patterns if "*" not in pattern)
    url = hub.hf_hub_url(
        wanted.repository, wanted.file or next(named, "config.json"), revision=wanted.revision
    )
    try:
        utils.hf_raise_for_status(requests.head(url, headers=utils.build_hf_headers(), timeout=seconds))
    except errors.EntryNotFoundError:
        return ""  # a file that not every model has
    except errors.GatedRepoError:
        return f"the hub {GATED} https://huggingface.co/{wanted.repository}"
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no status"
        return f"the hub has no {wanted.repository}@{wanted.revision[:12]} for you ({status})"
    except (OSError, ValueError) as error:
        return f"the hub cannot be reached ({cause(str(error))})"
    return ""


def _download(wanted: Wanted, **options: Any) -> Path:
    import huggingface_hub as hub

    if wanted.file:
        return Path(hub.hf_hub_download(**wanted.pinned, filename=wanted.file, **options))
    return Path(hub.snapshot_download(**wanted.pinned, allow_patterns=[*wanted.patterns], **options))


def _noted(wanted: Wanted) -> Path | None:
    if COMMIT.fullmatch(wanted.revision) and wanted.note.is_file():
        found = Path(wanted.note.read_text(encoding="utf-8"))
        return found if found.exists() else None
    return None


def _in_cache(wanted: Wanted) -> Path | None:
    """What lies in the hub's cache, whoever has fetched it, if it is not torn."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    with suppress(LocalEntryNotFoundError):
        found = _download(wanted, local_files_only=True)
        if wanted.file or not any((found.parents[1] / "blobs").glob("*.incomplete")):
            return found
    return None


def write(path: Path, text: str) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)
