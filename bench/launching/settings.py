"""Which settings there are, their types and their ranges. `check` refuses a wrong config before anything is
loaded.

The settings of a run are declared here, those of a system's card in bench.records, and those of an adapter, a
scorer or a prompt by the annotations of its constructor: one place for each. An argument `**limits:
Annotated[Any, Limits]` stands for the arguments of `Limits`.

A `_target_` names the class of an adapter, a scorer or a prompt, and nothing else. It is code of bench unless
the user named a folder of their own (--config-dir).
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta
from omegaconf import DictConfig, OmegaConf

from bench import limits, own_code
from bench.adapters.factory import AdapterFactory
from bench.core import Adapter, Granularity, Scorer, Test
from bench.errors import BenchError
from bench.languages import DIRECTIONS, Direction
from bench.launching.interpolation import MISSING, recorded
from bench.launching.requests import Resources
from bench.names import check_name, is_metric_id, is_name
from bench.prompt import Prompt
from bench.records import Price, SystemCard, card_with_texts
from bench.scoring.units import UnitName

Where = Annotated[str, Meta(min_length=1, max_length=limits.PATH_CHARACTERS)]
"""A path, an id, or another text that says where something is."""


class _Compare(TypedDict):
    test: Test | None
    unit: UnitName | None
    trials: Annotated[int, Meta(ge=1, le=limits.RESAMPLES)] | None


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
    max_cost: Annotated[float, Meta(ge=0, le=limits.LARGEST)] | None
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


# A job's config


def check(config: DictConfig, folders: Sequence[Path] = ()) -> None:
    """Raise BenchError, which names the key, unless every value of a job's config can be used.

    Settings that are still missing ("???") are skipped, and so are `direction`, `system` and `metric` if they
    are not given. `folders`: those of --config-dir. If there is one, `_target_` may name classes outside bench, and
    modules are imported from there.
    """
    own_code.add_folders(folders)
    values = recorded(config)
    _check_fields(values, _types(_Settings), "", required=_REQUIRED)
    _check_fields(values["compare"], _types(_Compare), "compare.", required={"test"})
    _check_fields(
        values["suite"],
        _types(_Suite),
        "suite.",
        required=_Suite.__required_keys__,
    )
    if len(set(values["stages"])) < len(values["stages"]):
        raise BenchError("stages has a stage twice: give each once, as in stages=[translate,score].")
    for system in values["suite"]["systems"]:
        if not all(is_name(part) for part in str(system).split("/")):
            raise BenchError(f"suite.systems has {system!r}: give names of files in configs/system/.")
    if values["shard"] >= values["shards"]:
        raise BenchError(f"shard must be less than shards, which is {values['shards']}.")
    _check_store(str(config.store))
    _check_path(str(config.reference), "reference")
    if values.get("system") is not None:
        _check_system(values["system"], folders)
    for metric, node in values.get("metric", {}).items():
        key = f"metric.{metric}"
        if not isinstance(node, dict):
            raise BenchError(f"{key} describes no scorer: leave it out, as in 'metric=[bleu,chrf]'.")
        if not is_metric_id(metric):
            raise BenchError(f"{key} cannot name a metric: use letters, digits, - and _.")
        _check_resources(node, key)
        _check_node({k: v for k, v in node.items() if k != "resources"}, Scorer, key, folders)


def check_job(config: DictConfig) -> None:
    """Raise BenchError unless the config says which system translates in which direction."""
    if "direction" not in config or OmegaConf.is_missing(config, "direction"):
        raise BenchError("direction is missing: give it, as in direction=zh-en.")
    if not config.get("system"):
        raise BenchError("system is missing: choose one of configs/system/, as in system=copy.")
    if OmegaConf.is_missing(config.system, "name"):
        raise BenchError("system.name is missing: give it, as in system.name=mine.")


def create(node: DictConfig, key: str, **arguments: Any) -> Any:
    """The object that a node describes. `arguments` are passed to its constructor as well.

    Raises BenchError if a value is missing or the constructor refuses one.
    """
    if missing := sorted(OmegaConf.missing_keys(node)):
        name = f"{key}.{missing[0].removeprefix(f'{key}.')}"  # OmegaConf's is of the whole configuration
        raise BenchError(f"{name} is missing: give it, as in {name}=VALUE.")
    return _create(cast("dict[str, Any]", OmegaConf.to_container(node, resolve=True)), key, arguments)


def _create(values: Mapping[str, Any], key: str, arguments: Mapping[str, Any]) -> Any:
    created = {
        name: _create(value, f"{key}.{name}", {})
        if isinstance(value, dict) and "_target_" in value
        else value
        for name, value in values.items()
        if name != "_target_"
    }
    kind = _import_class(str(values["_target_"]), tuple(_HOMES), key)
    if issubclass(cast("type", kind), Adapter) and "direction" not in arguments:  # of a scorer
        return AdapterFactory(kind, created, key)
    try:
        return kind(**created, **arguments)
    except BenchError:
        raise
    except Exception as error:  # of a class of the user's own: bench's classes raise BenchError
        raise BenchError(
            f"{key}: {kind.__name__} cannot be created ({type(error).__name__}: {error}): correct its settings."
        ) from error


# Systems and metrics


def _check_system(system: Mapping[str, Any], folders: Sequence[Path]) -> None:
    card = {key: value for key, value in system.items() if key not in ("adapter", "resources")}
    types = _types(SystemCard)
    fields = [*types, "adapter", "resources"]
    if isinstance(card.get("price"), dict) and card["price"]:
        required = {"characters"} if "characters" in card["price"] else {"input", "output"}
        _check_fields(card["price"], _types(Price), "system.price.", required=required)
    _check_fields(card_with_texts(card), types, "system.", required={"name"}, fields=fields)
    if card["name"] != MISSING:
        check_name(str(card["name"]), "system.name")
    _check_resources(system, "system")
    if not isinstance(system.get("adapter"), dict):
        raise BenchError("system.adapter is missing: choose a system of configs/system/, as in system=llm.")
    _check_node(system["adapter"], Adapter, "system.adapter", folders)


def _check_resources(node: Mapping[str, Any], key: str) -> None:
    resources = node.get("resources") or {}
    if not isinstance(resources, dict):
        raise BenchError(f"{key}.resources must be a mapping, as in resources: {{mem_gb: 64}}.")
    _check_fields(resources, _types(Resources), f"{key}.resources.")


def _check_node(node: Mapping[str, Any], base: type, key: str, folders: Sequence[Path]) -> None:
    """Check what describes an object: its class, and the arguments of the constructor."""
    if not isinstance(target := node.get("_target_"), str):
        raise BenchError(f"{key}._target_ is missing: it names the class of {_KINDS[base]}.")
    _check_target(target, base, key, folders)
    kind = _import_class(target, (base,), key)
    if not target.startswith("bench."):
        own_code.check_place(sys.modules[target.rpartition(".")[0]], folders)
    types, required, is_open = _arguments(kind)
    plain = {}
    for name, value in node.items():
        if isinstance(value, dict) and "_target_" in value:
            _check_node(
                value, Adapter if types.get(name) is AdapterFactory else Prompt, f"{key}.{name}", folders
            )
        elif types.get(name) is AdapterFactory:
            raise BenchError(f"{key}.{name} must be a model: choose one with judge@{key}.{name}=openai.")
        elif types.get(name) is Prompt:
            raise BenchError(f"{key}.{name} must be a prompt: choose one with prompt@{key}.{name}=translate.")
        elif name != "_target_":
            plain[name] = value
    unchecked = dict.fromkeys(node, Any) if is_open else {}
    _check_fields(plain, {**unchecked, **types}, f"{key}.", required=required - (node.keys() - plain.keys()))


def _check_target(target: str, base: type, key: str, folders: Sequence[Path]) -> None:
    """Raise BenchError if the rules do not allow to import what `target` names."""
    module, home = target.rpartition(".")[0], _HOMES[base]
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", target) or "__" in module:
        raise BenchError(f"{key}._target_ must be the name of {_KINDS[base]}, as in {home}.MODULE.CLASS.")
    is_home = module == home or module.startswith(f"{home}.")
    if not is_home and (module.partition(".")[0] == "bench" or not folders):
        raise BenchError(
            f"{key}._target_ must be {_KINDS[base]} in {home}: for a class of your own, write a yaml and name its "
            "folder with --config-dir."
        )


def _import_class(target: str, bases: tuple[type, ...], key: str) -> Callable[..., Any]:
    """The class that a checked `target` names."""
    kinds = " or ".join(_KINDS[base] for base in bases)
    module, _, name = target.rpartition(".")
    try:
        kind = getattr(import_module(module), name)
    except Exception as error:  # a module of the user's own may fail in any way
        raise BenchError(
            f"{key}._target_ cannot be imported ({type(error).__name__}: {error}): correct the name, or put the "
            "module into the folder of --config-dir."
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
    if "matching regex" in message:
        return f"{key} must be a short text without control characters."
    if expected := re.match(r"Expected `(.*?)`( (?:of length )?[<>=]+ \S+)?", message):
        words = " or ".join(_WORDS.get(word, word) for word in expected[1].split(" | "))
        return f"{key} must be {words}{expected[2] or ''}."
    if message.startswith("Invalid enum value"):
        choices = [str(choice) for choice in _choices(kind)]
        value = message.removeprefix("Invalid enum value ").strip("'")
        similar = get_close_matches(value, choices, n=1)
        meant = f" (perhaps {similar[0]})" if similar else ""
        return f"{key} must be one of {', '.join(choices)}, not {value[:80]}{meant}."
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
