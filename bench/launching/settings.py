"""Which settings there are, their types and their ranges. `check` refuses a wrong config before anything is
loaded.

The settings of a run are declared here, those of a system's card in bench.records, and those of an adapter, a
scorer or a prompt by the annotations of its constructor: one place for each. An argument `**limits:
Annotated[Any, Limits]` stands for the arguments of `Limits`.

A `_target_` names the class of an adapter, a scorer or a prompt, and nothing else. It is code of bench unless
the user named a folder of their own (--config-dir).

${NAME} may refer to another value. ${oc.env:NAME} reads the environment, only in settings that say where files
are, and never from a variable whose name looks like that of a secret. What it read is written nowhere
(`recorded`).
"""

from __future__ import annotations

import inspect
import math
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from omegaconf import DictConfig, OmegaConf

from bench import limits
from bench.core import Adapter, Granularity, Scorer, Test
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.names import check_name, is_metric_id, is_name
from bench.prompt import Prompt
from bench.records import Price, SystemCard, card_with_texts

MISSING = "???"
"""OmegaConf's value of a setting that must be given."""

Where = Annotated[str, Meta(min_length=1, max_length=limits.PATH_CHARACTERS)]
"""A path, an id, or another text that says where something is."""


class _Compare(TypedDict):
    test: Test | None
    unit: Literal["segment", "paragraph"]
    resamples: Annotated[int, Meta(ge=1, le=limits.RESAMPLES)] | None


class _Suite(TypedDict):
    systems: Annotated[list[Where], Meta(min_length=1, max_length=limits.JOBS)]
    directions: Annotated[list[Direction], Meta(min_length=1, max_length=len(DIRECTIONS))]
    primary: str


class _Settings(TypedDict):
    direction: Direction
    reference: Where
    granularity: Granularity
    store: Where
    stages: list[Literal["translate", "score"]]
    shards: Annotated[int, Meta(ge=1, le=limits.SHARDS)]
    shard: Annotated[int, Meta(ge=0, lt=limits.SHARDS)]
    batch_tokens: Annotated[int, Meta(ge=1, le=limits.BATCH_TOKENS)]
    compare: dict[str, Any]
    quiet: bool
    suite: dict[str, Any]
    system: dict[str, Any] | None
    metric: Annotated[dict[str, Any], Meta(max_length=limits.METRICS)]


_REQUIRED = {"reference", "granularity", "store", "stages", "shards", "shard", "batch_tokens", "compare"} | {
    "quiet",
    "suite",
}
_HOMES: dict[type, str] = {Adapter: "bench.adapters", Scorer: "bench.scorers", Prompt: "bench.prompt"}
"""What a node describes -> the package of bench that has its classes."""
_KINDS: dict[type, str] = {Adapter: "an adapter", Scorer: "a scorer", Prompt: "a prompt"}
_HYDRA_HOMES = ("hydra._internal.core_plugins.", "hydra_plugins.")
_HYDRA_KEYS = {"_args_", "_partial_", "_recursive_", "_convert_"}

_FROM_ENVIRONMENT = {"store", "reference", "checkpoint", "encoder", "dictionary", "path"}
_SECRET = re.compile("KEY|TOKEN|SECRET|PASS|PASSWD|CREDENTIAL|CRED|AUTH|PRIVATE|COOKIE", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{oc\.env:\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:,[^${}]*)?\}")
_REFERENCE = re.compile(r"\$\{(\.*)([\w-]+(?:\.[\w-]+)*)\}")
_OF_HYDRA = re.compile(r"\$\{(?:hydra|now):[^${}]*\}")

Key = tuple[str, ...]


# A job's config


def check(config: DictConfig, *, own_code: bool) -> None:
    """Raise BenchError, which names the key, unless every value of a job's config can be used.

    Settings that are still missing ("???") are skipped, and so are `direction`, `system` and `metric` if they
    are not given. `own_code`: whether `_target_` may name classes outside bench.
    """
    values = recorded(config)
    _check_fields(values, _types(_Settings), "", required=_REQUIRED)
    _check_fields(values["compare"], _types(_Compare), "compare.", required={"test"})
    _check_fields(
        values["suite"],
        _types(_Suite),
        "suite.",
        required=_Suite.__required_keys__,
    )
    for system in values["suite"]["systems"]:
        if not all(is_name(part) for part in str(system).split("/")):
            raise BenchError(f"suite.systems has {system!r}: give names of files in configs/system/.")
    if values["shard"] >= values["shards"]:
        raise BenchError(f"shard must be less than shards, which is {values['shards']}.")
    _check_store(str(config.store))
    _check_path(str(config.reference), "reference")
    if values.get("system") is not None:
        _check_system(values["system"], own_code)
    for metric, node in values.get("metric", {}).items():
        key = f"metric.{metric}"
        if not isinstance(node, dict):
            raise BenchError(f"{key} describes no scorer: leave it out, as in 'metric=[bleu,chrf]'.")
        if not is_metric_id(metric):
            raise BenchError(f"{key} cannot name a metric: use letters, digits, - and _.")
        _check_resources(node, key)
        _check_node({k: v for k, v in node.items() if k != "resources"}, Scorer, key, own_code)


def check_job(config: DictConfig) -> None:
    """Raise BenchError unless the config says which system translates in which direction."""
    if "direction" not in config or OmegaConf.is_missing(config, "direction"):
        raise BenchError("direction is missing: give it, as in direction=zh-en.")
    if not config.get("system"):
        raise BenchError("system is missing: choose one of configs/system/, as in system=copy.")
    if OmegaConf.is_missing(config.system, "name"):
        raise BenchError("system.name is missing: give it, as in system.name=mine.")


def check_launcher(hydra: DictConfig) -> None:
    """The same for Hydra's own settings: the only code that they name is Hydra's."""
    values = cast("dict[str, Any]", OmegaConf.to_container(hydra, resolve=False))
    for key, value in _leaves(values, ("hydra",)):
        if key[-1] == "_target_" and not str(value).startswith(_HYDRA_HOMES):
            raise BenchError(
                f"{'.'.join(key)} must name a launcher of Hydra: choose one with hydra/launcher=."
            )
        if isinstance(value, str) and "${" in value:
            _check_forms(value, key)


def check_forms(text: str, key: str) -> None:
    """Refuse every ${…} but the plain ones. `text`: an override."""
    _check_forms(text, tuple(key.split(".")))


def recorded(config: DictConfig) -> dict[str, Any]:
    """The config with every ${…} resolved, except that values from the environment stay as they are written:
    ${oc.env:NAME}. This is what may be shown and stored.

    Raises BenchError for a value that no setting can have, and for a ${…} that is not allowed.
    """
    values = cast("dict[str, Any]", OmegaConf.to_container(config, resolve=False))
    if values.get("direction") == MISSING:
        del values["direction"]
    texts = [(key, value) for key, value in _leaves(values) if isinstance(value, str) and "${" in value]
    done: dict[Key, tuple[Any, bool]] = {}
    for key, text in texts:
        _resolved(text, key, values, done, ())
    for key, (value, _) in done.items():  # now that nothing refers to the texts
        container: Any = values
        for part in key[:-1]:
            container = _child(container, part)[0]
        container[_child(container, key[-1])[1]] = value
    return values


def create(node: DictConfig, key: str, **arguments: Any) -> Any:
    """The object that a node describes. `arguments` are passed to its constructor as well.

    Raises BenchError if a value is missing or the constructor refuses one.
    """
    if missing := sorted(OmegaConf.missing_keys(node)):
        raise BenchError(f"{key}.{missing[0]} is missing: give it, as in {key}.{missing[0]}=VALUE.")
    return _create(cast("dict[str, Any]", OmegaConf.to_container(node, resolve=True)), key, arguments)


def _create(values: Mapping[str, Any], key: str, arguments: Mapping[str, Any]) -> Any:
    created = {
        name: _create(value, f"{key}.{name}", {})
        if isinstance(value, dict) and "_target_" in value
        else value
        for name, value in values.items()
        if name != "_target_"
    }
    kind = _class(str(values["_target_"]), tuple(_HOMES), key, own_code=True)
    try:
        return kind(**created, **arguments)
    except BenchError:
        raise
    except Exception as error:  # of a class of the user's own: bench's classes raise BenchError
        raise BenchError(
            f"{key}: {kind.__name__} cannot be created ({type(error).__name__}: {error}): correct its settings."
        ) from error


# Systems and metrics


def _check_system(system: Mapping[str, Any], own_code: bool) -> None:
    card = {key: value for key, value in system.items() if key not in ("adapter", "resources")}
    types = _types(SystemCard)
    fields = [*types, "adapter", "resources"]
    if isinstance(card.get("price"), dict) and card["price"]:
        hints = _types(Price)
        _check_fields(card["price"], hints, "system.price.", required=Price.__struct_fields__)
    _check_fields(card_with_texts(card), types, "system.", required={"name"}, fields=fields)
    if card["name"] != MISSING:
        check_name(str(card["name"]), "system.name")
    _check_resources(system, "system")
    if not isinstance(system.get("adapter"), dict):
        raise BenchError("system.adapter is missing: choose a system of configs/system/, as in system=llm.")
    _check_node(system["adapter"], Adapter, "system.adapter", own_code)


def _check_resources(node: Mapping[str, Any], key: str) -> None:
    kind = dict[str, bool | int | float | str | list[str] | dict[str, Any] | None]
    _check_fields({"resources": node.get("resources") or {}}, {"resources": kind}, f"{key}.")


def _check_node(node: Mapping[str, Any], base: type, key: str, own_code: bool) -> None:
    """Check what describes an object: its class, and the arguments of the constructor."""
    if not isinstance(target := node.get("_target_"), str):
        raise BenchError(f"{key}._target_ is missing: it names the class of {_KINDS[base]}.")
    kind = _class(target, (base,), key, own_code)
    types, required, is_open = _arguments(kind)
    plain = {}
    for name, value in node.items():
        if isinstance(value, dict) and "_target_" in value:
            _check_node(value, Prompt, f"{key}.{name}", own_code)
        elif types.get(name) is Prompt:
            raise BenchError(f"{key}.{name} must be a prompt: choose one with prompt@{key}.{name}=translate.")
        elif name != "_target_":
            plain[name] = value
    unchecked = dict.fromkeys(node, Any) if is_open else {}
    _check_fields(plain, {**unchecked, **types}, f"{key}.", required=required - (node.keys() - plain.keys()))


def _class(target: str, bases: tuple[type, ...], key: str, own_code: bool) -> Callable[..., Any]:
    """The class that `target` names. Nothing is imported that the rules do not allow."""
    kinds = " or ".join(_KINDS[base] for base in bases)
    module, _, name = target.rpartition(".")
    homes = [_HOMES[base] for base in bases]
    is_home = any(module == home or module.startswith(f"{home}.") for home in homes)
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", target) or "__" in module:
        raise BenchError(f"{key}._target_ must be the name of {kinds}, as in {homes[0]}.MODULE.CLASS.")
    if not is_home and (module.partition(".")[0] == "bench" or not own_code):
        raise BenchError(
            f"{key}._target_ must be {kinds} in {' or '.join(homes)}: for a class of your own, write a yaml and "
            "name its folder with --config-dir."
        )
    try:
        kind = getattr(import_module(module), name)
    except Exception as error:  # a module of the user's own may fail in any way
        raise BenchError(
            f"{key}._target_ cannot be imported ({type(error).__name__}: {error}): correct the name, or put the "
            "module on PYTHONPATH."
        ) from None
    if not (inspect.isclass(kind) and issubclass(kind, bases)) or inspect.isabstract(kind):
        raise BenchError(f"{key}._target_={target} is not {kinds}: name a class that can be used as one.")
    return cast("Callable[..., Any]", kind)


@cache
def _types(declared: Any) -> dict[str, Any]:
    """Name -> type of each field, with ranges."""
    return get_type_hints(declared, include_extras=True)


@cache
def _arguments(kind: Callable[..., Any]) -> tuple[dict[str, Any], frozenset[str], bool]:
    """Of a constructor: name -> type of each argument that a yaml can give, those without a default, and
    whether it takes any other."""
    try:
        hints = get_type_hints(kind.__init__, include_extras=True)
    except (NameError, TypeError):  # a class of the user's own whose annotations are only for a type checker
        hints = {}
    types: dict[str, Any] = {}
    required: set[str] = set()
    is_open = False
    for name, parameter in inspect.signature(kind).parameters.items():
        hint = hints.get(name, Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            stands_for: list[Any] = [part for part in get_args(hint)[1:] if inspect.isclass(part)]
            is_open = not stands_for
            for other in stands_for:
                more, needed, _ = _arguments(other)
                types = {**more, **types}
                required |= needed - types.keys()
        elif parameter.kind is not parameter.VAR_POSITIONAL and name != "direction":
            types[name] = hint
            if parameter.default is parameter.empty:
                required.add(name)
    return types, frozenset(required), is_open


# Values


def _check_fields(
    values: Mapping[str, Any],
    types: Mapping[str, Any],
    prefix: str,
    *,
    required: Collection[str] = (),
    fields: Sequence[str] = (),
) -> None:
    """Check each value against its type. `fields`: all names that there are here, if more than `types`."""
    known = list(fields or types)
    for key in values:
        if key not in types:
            if similar := get_close_matches(str(key), known, n=1):
                advice = f"use {prefix}{similar[0]}"
            else:
                advice = f"use one of {', '.join(known)}" if known else "remove it"
            raise BenchError(f"{prefix}{key} is not a setting: {advice}.")
    for key in sorted(required):
        if key not in values:
            raise BenchError(f"{prefix}{key} is missing: give it, as in {prefix}{key}=VALUE.")
    for key, value in values.items():
        if value == MISSING:
            continue
        try:
            msgspec.convert(value, types[key])
        except msgspec.ValidationError as error:
            raise BenchError(_sentence(error, f"{prefix}{key}", types[key])) from None
        except TypeError:  # an annotation of a class of the user's own that is no plain type
            continue


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}


def _sentence(error: msgspec.ValidationError, key: str, kind: Any) -> str:
    """ "Expected `int | null`, got `str` - at `$.a`" as "KEY.a must be a whole number or null."."""
    message, _, place = str(error).partition(" - at ")
    path = re.search(r"`\$(.*)`", place)
    key += path[1].replace("[...]", ".*") if path else ""
    if expected := re.match(r"Expected `(.*?)`( (?:of length )?[<>=]+ \S+)?", message):
        words = " or ".join(_WORDS.get(word, word) for word in expected[1].split(" | "))
        return f"{key} must be {words}{expected[2] or ''}."
    if message.startswith("Invalid enum value"):
        choices = [str(choice) for choice in _choices(kind)]
        value = message.removeprefix("Invalid enum value ").strip("'")
        similar = get_close_matches(value, choices, n=1)
        meant = f" (perhaps {similar[0]})" if similar else ""
        return f"{key} must be one of {', '.join(choices)}{meant}."
    if missing := re.match("Object missing required field `(.*)`", message):
        return f"{key}.{missing[1]} is missing: give it."
    return f"{key} cannot be used: {message[:1].lower()}{message[1:]}."


def _choices(kind: Any) -> Iterator[Any]:
    """The values of the Literals in a type."""
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    else:
        for part in get_args(kind):
            yield from _choices(part)


def _leaves(values: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
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
    return is_system or (key[:1] == ("metric",) and 2 <= len(key) <= 3 and key[2:] != ("resources",))


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


# References and the environment


def _check_forms(text: str, key: Key) -> None:
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
    _check_forms(text, key)
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
        return key[0] in ("store", "reference")
    is_argument = len(key) > 2 and (key[:2] == ("system", "adapter") or key[0] == "metric")
    names = [part for part in key[2:] if part not in DIRECTIONS and not part.isdigit()]
    return is_argument and names[0] in _FROM_ENVIRONMENT and names[-1] in _FROM_ENVIRONMENT


# Paths


def _check_path(text: str, key: str) -> None:
    try:
        Path(text).expanduser()
        for part in Path(text).parts:
            os.fsencode(part)
        too_long = len(os.fsencode(text)) > limits.PATH_CHARACTERS
    except (RuntimeError, ValueError):  # ~nobody, half a character
        raise BenchError(f"{key} must be a path that can exist on this machine.") from None
    if not text or too_long or any(len(os.fsencode(part)) > 255 for part in Path(text).parts):
        raise BenchError(
            f"{key} must be a path of at most {limits.PATH_CHARACTERS} characters, 255 per name."
        )


def _check_store(text: str) -> None:
    _check_path(text, "store")
    path = Path(text)
    try:
        existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        usable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
        usable = usable and not existing.resolve().is_relative_to("/proc")
    except OSError:
        usable = False
    if not usable:
        raise BenchError("store must be a folder that can be written: choose another, as in store=runs.")
