"""Overrides -> configs, and the objects that they describe: all that is asked of Hydra but the running of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, InstantiationException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import references
from bench.core import ReferenceSet, Scorer
from bench.errors import BenchError
from bench.resources import data_dir

CONFIGS = str(data_dir("configs"))


def expand(overrides: Sequence[str]) -> tuple[list[str], DictConfig]:
    """The overrides of the sweep, completed with the suite's systems and directions and with the shards; and the suite."""
    with sentences():
        given = parse(overrides)
        wide = [o for o in given if o.key_or_group in ("suite", "shards") or for_hydra(o)]
        chosen = compose([o.input_line for o in wide if o.input_line])
        suite, shards = chosen.suite, int(chosen.shards)
        keys = {override.key_or_group for override in given}
        sweep = list(overrides)
        for key, values in (("system", suite.systems), ("direction", suite.directions)):
            if key not in keys:
                sweep.append(f"{key}={','.join(values)}")
        if shards > 1:
            sweep.append(f"shard={','.join(map(str, range(shards)))}")
        return sweep, suite


def parse(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides(list(overrides))


def arguments(sweep: Sequence[str]) -> list[list[str]]:
    """The overrides of each job of a sweep; what is for Hydra itself is in none of them."""
    with sentences():
        ours = [override for override in parse(sweep) if not for_hydra(override)]
        (batch,) = BasicSweeper.split_arguments(ours, max_batch_size=None)
        return batch


def each(sweep: Sequence[str]) -> Iterator[DictConfig]:
    """The config of each job of a sweep."""
    words = [o.input_line for o in parse(sweep) if for_hydra(o) and o.input_line]
    return (compose([*words, *of_job]) for of_job in arguments(sweep))


def for_hydra(override: Override) -> bool:
    """Whether it says how and where jobs run, and nothing of what they do."""
    return override.key_or_group.startswith(("hydra.", "hydra/"))


def compose(overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    with sentences(), hydra.initialize_config_dir(CONFIGS, version_base="1.3", job_name="bench"):
        return hydra.compose("config", overrides=list(overrides), return_hydra_config=with_hydra)


def reference(config: DictConfig) -> ReferenceSet:
    return references.load(config.reference, config.granularity)


def scorers(config: DictConfig) -> dict[str, Scorer]:
    with sentences():
        return {str(metric): instantiate(node) for metric, node in config.metric.items()}


def instantiate(node: DictConfig) -> Any:
    """The object that a yaml describes, but for its `resources`: those are the launcher's business."""
    described = OmegaConf.masked_copy(node, [str(key) for key in node if key != "resources"])
    described._set_parent(node._get_parent())  # ${…} in it may name what lies outside of it
    try:
        return hydra.utils.instantiate(described, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, BenchError):
            raise error.__cause__ from None
        raise


@contextmanager
def sentences() -> Iterator[None]:
    """What Hydra and OmegaConf say of a wrong config, in one line."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        text = " ".join(str(error).split())
        if unknown := re.search(r"Could not (?:load|find) '([\w/]+)/([^'/]+)'", text):
            group, name = unknown.groups()
            if name in ("submitit_slurm", "joblib"):
                raise BenchError("This launcher is an extra: pip install 'bitext-bench[slurm]'.") from None
            known = ", ".join(sorted(path.stem for path in (Path(CONFIGS) / group).glob("*.yaml")))
            raise BenchError(
                f"There is no {group} {name!r}: use one of {known}, or name a folder with your own by --config-dir."
            ) from None
        raise BenchError(f"The configuration does not hold: {text}") from None
