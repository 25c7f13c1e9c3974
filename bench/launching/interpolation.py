"""Values of a configuration that refer to others: which ${…} are allowed, and what they stand for.

${NAME} may refer to another value. ${oc.env:NAME} reads the environment, only in settings that say where files
are, and never from a variable whose name looks like that of a secret. What it read is written nowhere
(`recorded`).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf

from bench import limits
from bench.errors import BenchError
from bench.languages import DIRECTIONS

MISSING = "???"
"""OmegaConf's value of a setting that must be given."""
_HYDRA_KEYS = {"_args_", "_partial_", "_recursive_", "_convert_"}
_FROM_ENVIRONMENT = {"store", "checkpoint", "encoder", "dictionary", "path"}
"""Not `reference`, which run.json records."""
_WEIGHTS = {"checkpoint", "encoder", "dictionary"}
_SECRET = re.compile(
    "KEY|TOKEN|SECRET|PASS|CRED|AUTH|PRIVATE|COOKIE|DSN|WEBHOOK|UR[IL]|(^|_)PAT(_|$)", re.IGNORECASE
)
_VARIABLE = re.compile(r"\$\{oc\.env:\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:,[^${}]*)?\}")
_REFERENCE = re.compile(r"\$\{(\.*)([\w-]+(?:\.[\w-]+)*)\}")
_OF_HYDRA = re.compile(r"\$\{(?:hydra|now):[^${}]*\}")
Key = tuple[str, ...]


def recorded(config: DictConfig) -> dict[str, Any]:
    """The config with every ${…} resolved, except that values from the environment stay as they are written:
    ${oc.env:NAME}. This is what may be shown and stored.

    Raises BenchError for a value that no setting can have, and for a ${…} that is not allowed.
    """
    values = cast("dict[str, Any]", OmegaConf.to_container(config, resolve=False))
    if values.get("direction") == MISSING:
        del values["direction"]
    texts = [(key, value) for key, value in leaves(values) if isinstance(value, str) and "${" in value]
    done: dict[Key, tuple[Any, bool]] = {}
    for key, text in texts:
        _resolved(text, key, values, done, ())
    for key, (value, reads) in done.items():  # now that nothing refers to the texts
        if reads and key[-1] in _WEIGHTS and not _is_absolute(config, key):
            raise BenchError(
                f"{'.'.join(key)} reads the environment, so it must be an absolute path: give an id of the hub "
                "itself, which is part of a system's identity."
            )
        container: Any = values
        for part in key[:-1]:
            container = _child(container, part)[0]
        container[_child(container, key[-1])[1]] = value
    return values


def _is_absolute(config: DictConfig, key: Key) -> bool:
    value: Any = config
    for part in key:
        value = value[int(part) if isinstance(value, ListConfig) else part]
    return Path(str(value)).is_absolute()


def leaves(values: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """(key, value) of each plain value. Raises BenchError for what no setting can be."""
    count = 0
    pending: list[tuple[Key, Any]] = [(key, values)]
    while pending:
        key, value = pending.pop()
        count += 1
        if count > limits.SETTINGS or len(key) > limits.SETTING_LEVELS:
            raise BenchError(
                f"{'.'.join(key[:3])} is too large: a configuration has at most {limits.SETTINGS} values and "
                f"{limits.SETTING_LEVELS} levels."
            )
        name = ".".join(key)
        if isinstance(value, dict):
            for part, item in value.items():
                if part in _HYDRA_KEYS:
                    raise BenchError(f"{name}.{part} is not a setting: remove it.".lstrip("."))
                if part == "_target_" and not _may_name_a_class(key):
                    raise BenchError(
                        f"{name}.{part} is not a setting: only adapters, metrics and prompts name a class."
                    )
                pending.append(((*key, str(part)), item))
        elif isinstance(value, list):
            pending += [((*key, str(number)), item) for number, item in enumerate(value)]
        else:
            _check_plain(value, name)
            yield key, value


def _may_name_a_class(key: Key) -> bool:
    if key[:1] == ("hydra",):
        return True  # check_launcher
    is_system = key[:2] == ("system", "adapter") and len(key) <= 3
    return is_system or (key[:1] == ("metric",) and 2 <= len(key) <= 4 and key[2:] != ("resources",))


def _check_plain(value: Any, name: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise BenchError(f"{name} must be a finite number.")
    if isinstance(value, int) and value.bit_length() > 63:
        raise BenchError(f"{name} must be a number of at most 63 bits.")
    if isinstance(value, str):
        if len(value) > limits.SETTING_CHARACTERS:
            raise BenchError(f"{name} must be a text of at most {limits.SETTING_CHARACTERS} characters.")
        if re.search("[\0\ud800-\udfff]", value):
            raise BenchError(f"{name} must be a text without NUL and half characters.")
    elif value is not None and not isinstance(value, (bool, int, float)):
        raise BenchError(f"{name} must be a text, a number, true, false or null.")


def check_forms(text: str, key: Key) -> None:
    """Refuse every ${…} but a reference to a value and a variable of the environment."""
    rest = _REFERENCE.sub("", text)
    for variable in _VARIABLE.finditer(rest):
        if _SECRET.search(variable[1]):
            raise BenchError(
                f"{'.'.join(key)} reads {variable[1]}, which looks like a secret: secrets are never part of a "
                "configuration; name the variable in key_variable."
            )
        if variable[1] not in os.environ and "," not in variable[0]:
            raise BenchError(
                f"{'.'.join(key)} reads {variable[1]}, which the environment does not have: set it."
            )
    rest = _VARIABLE.sub("", rest)
    if key[0] == "hydra" or key[0].startswith("hydra/"):
        rest = _OF_HYDRA.sub("", rest)
    if "${" in rest or "\\${" in text:
        raise BenchError(
            f"{'.'.join(key)} has a ${{…}} that is not allowed: use ${{NAME}} for the value of another setting, "
            "or ${oc.env:NAME} for where files are."
        )


def _resolved(
    text: str,
    key: Key,
    values: Mapping[str, Any],
    done: dict[Key, tuple[Any, bool]],
    within: tuple[Key, ...],
) -> tuple[Any, bool]:
    """The value of a text with ${…}, in which ${oc.env:NAME} stays, and whether it reads the environment."""
    if key in done:
        return done[key]
    name = ".".join(key)
    check_forms(text, key)
    if key in within or len(within) > limits.SETTING_LEVELS:
        raise BenchError(f"{name} refers to itself, or to too many others in a row: give its value.")
    reads = bool(_VARIABLE.search(text))
    parts: list[Any] = []
    start = 0
    for match in _REFERENCE.finditer(text):
        target, value = _referred(match, key, values)
        if isinstance(value, (dict, list)):
            raise BenchError(f"{name} refers to {match[0]}, which has several values: refer to one of them.")
        if isinstance(value, str) and "${" in value:
            value, also = _resolved(value, target, values, done, (*within, key))
            reads = reads or also
        parts += [text[start : match.start()], value]
        start = match.end()
        if sum(len(str(part)) for part in parts) > limits.SETTING_CHARACTERS:
            raise BenchError(f"{name} must be a text of at most {limits.SETTING_CHARACTERS} characters.")
    if reads and not _may_read_environment(key):
        raise BenchError(
            f"{name} reads the environment: only {', '.join(sorted(_FROM_ENVIRONMENT))} may; give the value."
        )
    alone = len(parts) == 2 and not parts[0] and start == len(text)  # it keeps its type
    done[key] = (parts[1] if alone else "".join(map(str, [*parts, text[start:]]))), reads
    return done[key]


def _referred(match: re.Match[str], key: Key, values: Mapping[str, Any]) -> tuple[Key, Any]:
    """The key and the value that ${…} refers to. Leading dots count from the mapping that it is in."""
    dots, path = match[1], match[2].split(".")
    target = (*(key[: -len(dots)] if dots else ()), *path)
    value: Any = values
    if target == ("direction",):
        return target, values.get("direction", DIRECTIONS[0])
    for part in target:
        try:
            value = _child(value, part)[0]
        except KeyError:
            raise BenchError(
                f"{'.'.join(key)} refers to {match[0]}, which is not there: correct the name."
            ) from None
    if value == MISSING:
        raise BenchError(f"{'.'.join(target)} is missing: give it, as in {'.'.join(target)}=VALUE.")
    return target, value


def _child(container: Any, part: str) -> tuple[Any, Any]:
    """The value in a mapping or a list, and its own key there. Raises KeyError."""
    if isinstance(container, list) and part.isdigit() and int(part) < len(container):
        return container[int(part)], int(part)
    for name in container if isinstance(container, dict) else ():
        if str(name) == part:
            return container[name], name
    raise KeyError(part)


def _may_read_environment(key: Key) -> bool:
    """Whether a setting says where files are. `options` of a request, for example, leave the machine."""
    if len(key) == 1:
        return key[0] == "store"
    is_argument = len(key) > 2 and (key[:2] == ("system", "adapter") or key[0] == "metric")
    names = [part for part in key[2:] if part not in DIRECTIONS and not part.isdigit()]
    return is_argument and names[0] in _FROM_ENVIRONMENT and names[-1] in _FROM_ENVIRONMENT
