"""Overrides -> configs, and configs -> the objects that they describe."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, QuotedString
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import OmegaConfBaseException

from bench import references
from bench.core import ReferenceSet, Scorer
from bench.errors import BenchError
from bench.resources import data_dir

CONFIGS = str(data_dir("configs"))
"""Absolute path of the folder with config.yaml."""
MAX_SHARDS = 1000
"""Shards of one run; each is a job that loads the model."""
_LAUNCHER_PLUGINS = ("submitit_slurm", "joblib")


def expand(overrides: Sequence[str]) -> tuple[list[str], DictConfig]:
    """The overrides of the sweep, and the config of its suite.

    The suite's systems and directions are added unless the overrides name their own, and so are the shards.
    """
    with friendly_errors():
        parsed = parse_overrides(overrides)
        suite_overrides = [
            o.input_line
            for o in parsed
            if o.input_line and (o.key_or_group in ("suite", "shards") or is_hydra_override(o))
        ]
        config = compose(suite_overrides)
        keys = {o.key_or_group for o in parsed}
        sweep = list(overrides)
        for key, values in (("system", config.suite.systems), ("direction", config.suite.directions)):
            if key not in keys:
                sweep.append(f"{key}={','.join(values)}")
        if not isinstance(config.shards, int) or not 1 <= config.shards <= MAX_SHARDS:
            raise BenchError(f"shards={config.shards} is not a whole number from 1 to {MAX_SHARDS}.")
        if config.shards > 1:
            sweep.append(f"shard={','.join(map(str, range(config.shards)))}")
        return sweep, config.suite


def override(key: str, value: Any) -> str:
    """The override that sets `key` to a number, a text or None. Hydra's grammar accepts JSON for them."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def parse_overrides(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(overrides))


def job_overrides(sweep: Sequence[str]) -> list[list[str]]:
    """The overrides of each job of a sweep: every combination of the values that the sweep lists.

    Overrides for Hydra itself are left out. If a key is given twice, the last one counts.
    """
    with friendly_errors():
        choices: dict[str, list[str]] = {}
        for parsed in parse_overrides(sweep):
            if is_hydra_override(parsed):
                continue
            key = parsed.get_key_element()
            if parsed.is_discrete_sweep():
                choices[key] = [f"{key}={value}" for value in parsed.sweep_string_iterator()]
            elif parsed.is_sweep_override():
                raise BenchError(
                    f"{parsed.input_line} is a continuous range: list its values instead, as in {key}=A,B."
                )
            else:
                choices[key] = [parsed.input_line or ""]
        return [list(job) for job in itertools.product(*choices.values())]


def job_configs(sweep: Sequence[str]) -> Iterator[DictConfig]:
    """The config of each job of a sweep, in the order of `job_overrides`.

    Composing takes some 60 ms. Jobs that differ only in their direction share it.
    """
    for_hydra = hydra_overrides(sweep)
    composed: dict[tuple[str, ...], DictConfig] = {}
    for overrides in job_overrides(sweep):
        is_plain = [text.startswith("direction=") for text in overrides]
        key = tuple(text for text, plain in zip(overrides, is_plain, strict=True) if not plain)
        if key not in composed:
            composed[key] = compose([*for_hydra, *overrides])
        config = copy.deepcopy(composed[key])
        for parsed in parse_overrides(list(itertools.compress(overrides, is_plain))):
            value = parsed.value()
            config.direction = value.text if isinstance(value, QuotedString) else value
        yield config


def hydra_overrides(overrides: Sequence[str]) -> list[str]:
    """The overrides that are for Hydra itself."""
    return [o.input_line for o in parse_overrides(overrides) if is_hydra_override(o) and o.input_line]


def is_hydra_override(parsed: Override) -> bool:
    """True if it says how and where jobs run, but not what they do."""
    return parsed.key_or_group.startswith(("hydra.", "hydra/"))


def compose(overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    """The config of one job; `with_hydra` adds Hydra's own settings, above all `hydra.launcher`."""
    with friendly_errors(), hydra.initialize_config_dir(CONFIGS, version_base="1.3", job_name="bench"):
        return hydra.compose("config", overrides=list(overrides), return_hydra_config=with_hydra)


def reference(config: DictConfig) -> ReferenceSet:
    return references.load(config.reference, config.granularity)


def scorers(config: DictConfig) -> dict[str, Scorer]:
    """Metric id -> scorer, in the order of the config."""
    with friendly_errors():
        return {metric: instantiate(node) for metric, node in scorer_nodes(config).items()}


def scorer_nodes(config: DictConfig) -> dict[str, DictConfig]:
    """Metric id -> the node that describes its scorer, without `resources`: these are for the launcher.

    The nodes are in a copy of the config, so that ${…} in them can refer to values elsewhere in it.
    """
    nodes = copy.deepcopy(config).metric
    for metric, node in nodes.items():
        if not isinstance(node, DictConfig):
            raise BenchError(
                f"metric.{metric} describes no scorer: leave it out, as in 'metric=[bleu,chrf]'."
            )
        with open_dict(node):
            node.pop("resources", None)
    return {str(metric): node for metric, node in nodes.items()}


def instantiate(node: DictConfig, **arguments: Any) -> Any:
    """The object that a node describes. `arguments` are passed to its constructor as well.

    Raises BenchError if the constructor does.
    """
    try:
        return hydra.utils.instantiate(node, _convert_="all", **arguments)
    except InstantiationException as error:
        if isinstance(error.__cause__, BenchError):
            raise error.__cause__ from None
        raise


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turn what Hydra and OmegaConf report about a wrong config into a BenchError of one sentence."""
    try:
        yield
    except MissingConfigException as error:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        if name in _LAUNCHER_PLUGINS:
            raise BenchError(
                "This launcher is an extra: install it with pip install 'bitext-bench[slurm]'."
            ) from None
        options = error.options or sorted(path.stem for path in (Path(CONFIGS) / group).glob("*.yaml"))
        raise BenchError(
            f"There is no {group} {name!r}: use one of {', '.join(options)}, or add yours with --config-dir."
        ) from None
    except (HydraException, OmegaConfBaseException) as error:
        cause = error.__cause__
        detail = cause if isinstance(cause, ImportError) else error  # the cause names the module
        raise BenchError(f"The configuration is not valid: {' '.join(str(detail).split())}") from None
