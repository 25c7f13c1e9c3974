"""Overrides -> configs, and configs -> the objects that they describe.

What a user wrote is checked here before Hydra reads it, and by bench.launching.settings after that.
"""

from __future__ import annotations

import copy
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, Override, QuotedString, RangeSweep
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from bench import limits, references
from bench.core import ReferenceSet, Scorer
from bench.errors import BenchError
from bench.launching import config_files, interpolation, launcher_settings, settings
from bench.launching.many_systems import compose_systems
from bench.resources import data_dir

CONFIGS = str(data_dir("configs"))
"""Absolute path of the folder with config.yaml."""
_LAUNCHER_PLUGINS = ("submitit_slurm", "joblib")
MISSING_EXTRA = (
    "This launcher is an extra: install it with pip install -e '.[slurm]' in a clone of bitext-bench, or pip install "
    "submitit hydra-joblib-launcher."
)
_SEARCH_PATH = "hydra.searchpath"
_HYDRA_SETTINGS = ("hydra/launcher", "hydra.launcher.", _SEARCH_PATH)
_GROUPS = ("system", "suite", "metric", "prompt", "judge", "hydra")
"""Folders of configs/."""


def expand(overrides: Sequence[str]) -> tuple[list[str], DictConfig]:
    """The overrides of the sweep, and the config of its suite.

    The suite's systems and directions are added unless the overrides name their own, and so are the shards.
    """
    parsed = parse_overrides(overrides)
    suite_overrides = [
        o.input_line
        for o in parsed
        if o.input_line and (o.key_or_group.partition(".")[0] in ("suite", "shards") or is_hydra_override(o))
    ]
    config = compose(suite_overrides)
    keys = {o.key_or_group for o in parsed}
    _check_primary(config.suite.primary, parsed)
    sweep = list(overrides)
    for key, values in (("system", config.suite.systems), ("direction", config.suite.directions)):
        if key not in keys:
            sweep.append(f"{key}={','.join(values)}")
    if config.shards > 1 and "shard" not in keys:
        sweep.append(f"shard={','.join(map(str, range(config.shards)))}")
    return sweep, config.suite


def _check_primary(primary: str, overrides: Sequence[Override]) -> None:
    """Raise BenchError unless a metric has that id. It need not be one of this run: then the first one sorts."""
    folders = [Path(CONFIGS)]
    for parsed in overrides:
        if parsed.key_or_group == _SEARCH_PATH:
            folders += [Path(folder.removeprefix("file://")) for folder in _texts(parsed.value())]
    known = sorted(path.stem for folder in folders for path in (folder / "metric").glob("*.yaml"))
    if primary not in known:
        near = get_close_matches(primary, known, n=1)
        advice = f"use {near[0]}" if near else f"use one of {', '.join(known)}"
        raise BenchError(f"suite.primary={primary[:80]} is not a metric: {advice}.")


def override(key: str, value: Any) -> str:
    """The override that sets `key` to a number, a text or None. Hydra's grammar accepts JSON for them."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def parse_overrides(overrides: Sequence[str]) -> list[Override]:
    """Raises BenchError for an override that cannot be read, or that would read more than configs."""
    if sum(map(len, overrides)) > limits.OVERRIDE_CHARACTERS:
        raise BenchError(
            f"The overrides have more than {limits.OVERRIDE_CHARACTERS} characters: put values into a yaml of "
            "--config-dir."
        )
    return [_parse(text) for text in overrides]


@lru_cache(maxsize=1000)
def _parse(text: str) -> Override:
    shown = text if len(text) <= 80 else f"{text[:79]}…"
    if text.count(",") > 2 * limits.JOBS:
        raise BenchError(f"{shown} has too many values: a run has at most {limits.JOBS} jobs.")
    try:
        (parsed,) = OverridesParser.create().parse_overrides([text])
    except (HydraException, ValueError, RecursionError):
        raise BenchError(
            f"The override {shown!r} cannot be read: write KEY=VALUE, with quotes around a value that has spaces "
            "or other special characters, as in 'KEY=\"a b\"'."
        ) from None
    key = parsed.get_key_element().lstrip("+~")
    interpolation.check_forms(text, tuple(parsed.key_or_group.split(".")))
    is_group = parsed.key_or_group.partition("/")[0] in _GROUPS or parsed.package is not None
    if (
        is_group
        and not parsed.is_delete()
        and (parsed.value() is None or isinstance(parsed.value(), (int, float)))
    ):
        raise BenchError(f"{key} must be the name of a file in configs/ or --config-dir.")
    names_files = "." not in parsed.key_or_group or "/" in parsed.key_or_group or parsed.package is not None
    if names_files and parsed.key_or_group not in ("reference", "store"):
        for value in _texts(parsed.value()):
            if "${" in value or ".." in value or value.startswith("/"):
                raise BenchError(
                    f"{key} must be the name of a file in configs/ or --config-dir, or a plain value."
                )
    if _is_of_hydra(parsed) and not parsed.key_or_group.startswith(_HYDRA_SETTINGS):
        raise BenchError(
            f"{key} is not a setting: of Hydra itself, give hydra/launcher, hydra.launcher.NAME or --config-dir."
        )
    if ".." in key or not key:
        raise BenchError(f"{key[:80]!r} is not a setting: write KEY=VALUE.")
    return parsed


def _is_of_hydra(parsed: Override) -> bool:
    return "hydra" in (re.split(r"[./]", parsed.key_or_group)[0], (parsed.package or "").partition(".")[0])


def _texts(value: Any) -> Iterator[str]:
    """All texts in the value of an override."""
    if isinstance(value, ChoiceSweep):
        value = value.list
    if isinstance(value, QuotedString):
        yield value.text
    elif isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts([*value.keys(), *value.values()])


def config_dir_override(folder: Path) -> str:
    """The override that adds a folder of yaml files: --config-dir."""
    if re.search(r"""['"\\$\0-\x1f]""", str(folder)):
        raise BenchError(f"--config-dir cannot have quotes, backslashes or $ in its path: rename {folder}.")
    return f"{_SEARCH_PATH}=['file://{folder.resolve()}']"


def job_overrides(sweep: Sequence[str]) -> list[list[str]]:
    """The overrides of each job of a sweep: every combination of the values that the sweep lists.

    Overrides for Hydra itself are left out. If a key is given twice, the last one counts.
    """
    choices: dict[str, list[str]] = {}
    for parsed in parse_overrides(sweep):
        if is_hydra_override(parsed):
            continue
        key = parsed.get_key_element()
        if parsed.is_discrete_sweep():
            _check_sweep(parsed.value(), key)
            values = itertools.islice(parsed.sweep_string_iterator(), limits.JOBS + 1)
            choices[key] = [f"{key}={value}" for value in values]
        elif parsed.is_sweep_override():
            raise BenchError(
                f"{parsed.input_line} is a continuous range: list its values instead, as in {key}=A,B."
            )
        else:
            choices[key] = [parsed.input_line or ""]
    count = math.prod(map(len, choices.values()))
    if count > limits.JOBS:
        largest = max(choices, key=lambda key: len(choices[key]))
        raise BenchError(
            f"These are {count} jobs, and {largest} has most values: a run has at most {limits.JOBS} jobs."
        )
    return [list(job) for job in itertools.product(*choices.values())]


def _check_sweep(value: Any, key: str) -> None:
    """Refuse what would have no values, or too many to be listed."""
    if isinstance(value, Glob):
        raise BenchError(f"{key} has a glob: list the names instead, as in {key}=A,B.")
    if isinstance(value, RangeSweep):
        start, stop, step = value.start or 0, value.stop or 0, value.step
        if not (step and math.isfinite(start) and 0 < (stop - start) / step <= limits.JOBS):
            raise BenchError(
                f"{key} has a range without values or with more than {limits.JOBS}: list the values."
            )


def job_configs(sweep: Sequence[str]) -> list[DictConfig]:
    """The config of each job of a sweep, in the order of `job_overrides`."""
    return [copy.deepcopy(config) for config in iterate_job_configs(sweep)]


def iterate_job_configs(sweep: Sequence[str]) -> Iterator[DictConfig]:
    """The same for thousands of jobs, without a copy for each: a config may change when the next one is asked for.

    Jobs that differ only in their direction or shard share what Hydra composes.
    """
    for_hydra = hydra_overrides(sweep)
    jobs = [parse_overrides(overrides) for overrides in job_overrides(sweep)]
    keys = [tuple(o.input_line for o in job if not _is_plain(o)) for job in jobs]
    distinct = {key: [o for o in job if not _is_plain(o)] for key, job in zip(keys, jobs, strict=True)}
    composed = compose_systems(list(distinct.values()), lambda texts: _compose([*for_hydra, *texts]))
    job_of = dict(zip(distinct, composed, strict=True))
    folders = _own_folders(for_hydra)
    for key, job in zip(keys, jobs, strict=True):
        values = [parsed for parsed in job if _is_plain(parsed)]
        try:
            config = _checked(job_of[key].config(), values, folders)
        except BenchError:
            if not job_of[key].is_shared:
                raise
            job_of[
                key
            ].separate()  # what cannot be used alone has its own error, and a yaml may be used only alone
            config = _checked(job_of[key].config(), values, folders)
        yield config


def _checked(config: DictConfig, values: Sequence[Override], folders: Sequence[Path]) -> DictConfig:
    """The config with these values. Raises BenchError if it cannot be used."""
    with friendly_errors():
        for parsed in values:
            value = parsed.value()
            config[parsed.key_or_group] = value.text if isinstance(value, QuotedString) else value
        settings.check(config, folders)
    return config


def _is_plain(parsed: Override) -> bool:
    """Whether it sets a value that nothing else in a config depends on."""
    return (parsed.input_line or "").startswith(("direction=", "shard="))


def hydra_overrides(overrides: Sequence[str]) -> list[str]:
    """The overrides that are for Hydra itself."""
    return [o.input_line for o in parse_overrides(overrides) if is_hydra_override(o) and o.input_line]


def is_hydra_override(parsed: Override) -> bool:
    """True if it says how and where jobs run, but not what they do."""
    return parsed.key_or_group.startswith(("hydra.", "hydra/"))


def compose(overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    """The checked config of one job; `with_hydra` adds Hydra's own settings, above all `hydra.launcher`."""
    config = _compose(overrides, with_hydra)
    own = (
        OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
        if with_hydra
        else config
    )
    with friendly_errors():
        settings.check(own, _own_folders(overrides))
        if with_hydra:
            launcher_settings.check_launcher(config.hydra)
    return config


def _own_folders(overrides: Sequence[str]) -> list[Path]:
    """The folders that the user named with --config-dir. Their yaml files may name classes."""
    values = [o.value() for o in parse_overrides(overrides) if o.key_or_group == _SEARCH_PATH]
    return [Path(text.removeprefix("file://")) for text in _texts(values)]


def _compose(overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    texts = []
    for parsed in parse_overrides(overrides):
        text = parsed.input_line or ""
        if parsed.is_sweep_override():
            raise BenchError(f"{parsed.key_or_group} takes one value: give one of them.")
        texts.append(_search_path(parsed) if parsed.key_or_group == _SEARCH_PATH else text)
    while True:
        try:
            with hydra.initialize_config_dir(CONFIGS, version_base="1.3", job_name="bench"):
                return hydra.compose("config", overrides=texts, return_hydra_config=with_hydra)
        except BenchError:
            raise
        except Exception as error:  # only Hydra ran, so it is the configuration
            key = _unknown_key(error)
            index = next((i for i, text in enumerate(texts) if text.startswith(f"{key}=")), None)
            if key is None or index is None or "@" in key:
                raise BenchError(_sentence(error)) from None
            # The yaml does not have it. The schema knows whether there is such a setting.
            texts[index] = f"++{texts[index]}"


def _search_path(parsed: Override) -> str:
    """hydra.searchpath=[file://…], read by bench.launching.config_files."""
    folders = list(_texts(parsed.value()))
    for folder in folders:
        if not folder.startswith("file://") or not Path(folder.removeprefix("file://")).is_dir():
            raise BenchError(f"{_SEARCH_PATH} must be a list of folders: use --config-dir DIR.")
    own = [f"{config_files.SCHEME}://{folder.removeprefix('file://')}" for folder in folders]
    return f"{_SEARCH_PATH}=[{','.join(repr(folder) for folder in own)}]"


def _unknown_key(error: Exception) -> str | None:
    """The key of an override that no yaml has; None if that is not the error."""
    found = re.match(r"Could not override '([^']+)'", str(error))
    return found[1] if found and not found[1].startswith("hydra") else None


def reference(config: DictConfig) -> ReferenceSet:
    return references.load(config.reference, config.granularity)


def scorers(config: DictConfig) -> dict[str, Scorer]:
    """Metric id -> scorer, in the order of the config."""
    with friendly_errors():
        return {
            metric: settings.create(node, f"metric.{metric}") for metric, node in scorer_nodes(config).items()
        }


def scorer_nodes(config: DictConfig) -> dict[str, DictConfig]:
    """Metric id -> the node that describes its scorer, without `resources`: these are for the launcher.

    The nodes are in a copy of the config, so that ${…} in them can refer to values elsewhere in it.
    """
    nodes = copy.deepcopy(config).get("metric")
    if not nodes:
        raise BenchError("metric is empty: give at least one, as in 'metric=[bleu,chrf]'.")
    for node in nodes.values():
        with open_dict(node):
            node.pop("resources", None)
    return {str(metric): node for metric, node in nodes.items()}


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turn what Hydra and OmegaConf report about a wrong config into a BenchError of one sentence."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise BenchError(_sentence(error)) from None


def _sentence(error: Exception) -> str:
    if isinstance(error, MissingConfigException):
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        if name in _LAUNCHER_PLUGINS:
            return MISSING_EXTRA
        options = error.options or sorted(path.stem for path in (Path(CONFIGS) / group).glob("*.yaml"))
        near = get_close_matches(name, options, n=1)
        choice = f"{near[0]}, or one of {', '.join(options)}" if near else f"one of {', '.join(options)}"
        if not options:
            return f"There is no {(group or name)!r} in configs/: correct the key."
        return f"There is no {group} {name!r}: use {choice}, or add yours with --config-dir."
    if isinstance(error, RecursionError):
        return "The configuration is nested too deeply or includes itself: correct its `defaults`."
    message = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if key := re.match(r"Could not override '([^']+)'", message):
        if key[1].startswith("prompt@"):
            return "This system has no prompt: choose a prompt for a language model, as in system=llm."
        if key[1].startswith("hydra.launcher."):
            return f"{key[1]} is not a setting here: correct the key, or put + before it for another option of sbatch."
        return f"{key[1]} is not a setting here: correct the key."
    if key := re.match(r"Error merging override \+*([^=]+)=", message):
        return f"{key[1]} cannot have a value of this kind: give one of the kind that it has in configs/."
    if key := re.match(r"Could not delete from config. (?:The )?'?([\w.@/-]+)'?", message):
        return f"{key[1]} cannot be removed: it is not in the configuration."
    return f"The configuration is not valid: {' '.join(message.split())[: limits.MESSAGE_CHARACTERS].rstrip('.')}."
