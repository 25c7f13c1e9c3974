"""The systems and metrics of a run, created but not loaded: for `bench prefetch` and `bench doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig, OmegaConf

from bench.core import Adapter, Scorer, Weights
from bench.endpoints import Endpoint
from bench.errors import BenchError
from bench.languages import sides
from bench.launching.compose import expand, friendly_errors, instantiate, job_configs, scorer_nodes
from bench.references.outside import SACREBLEU

Kind = Literal["system", "metric"]


@dataclass(frozen=True)
class Component:
    """A system or a metric of a run."""

    name: str
    kind: Kind
    config: dict[str, Any]
    """What its yaml says, resolved; {} if it cannot be resolved."""
    instance: Adapter | Scorer | None
    """None if `error` says why it could not be created."""
    needs: tuple[Weights, ...] = ()
    error: str = ""

    @property
    def required(self) -> bool:
        """False: a run continues without it (bench.core.Scorer.required)."""
        if isinstance(self.instance, Scorer):
            return self.instance.required
        return bool(self.config.get("required", True))

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint that it sends requests to; None if it runs on this machine."""
        endpoint = getattr(self.instance, "endpoint", None)
        return endpoint if isinstance(endpoint, Endpoint) else None


def run_configs(overrides: Sequence[str]) -> list[DictConfig]:
    """The config of each job that `bench run` would start. Raises BenchError if the overrides are wrong."""
    configs = list(job_configs(expand(overrides)[0]))
    for config in configs:
        sides(config.direction)
    return configs


def run_components(configs: Sequence[DictConfig]) -> list[Component]:
    """The systems and metrics of a run. A system that needs the same in both directions is listed once."""
    with friendly_errors():
        names = [str(config.system.name) for config in configs]
    components = [
        _component(name, "system", config.system, config.system.adapter, direction=config.direction)
        for name, config in zip(names, configs, strict=True)
    ]
    components += [_component(name, "metric", node, node) for name, node in scorer_nodes(configs[0]).items()]
    return list({repr((c.name, c.config, c.needs, c.error)): c for c in components}.values())


def sacrebleu_folder(reference: str) -> Path | None:
    """The folder where sacrebleu keeps this test set; None if the set is not one of sacrebleu's."""
    if not reference.startswith(SACREBLEU):
        return None
    from sacrebleu.utils import SACREBLEU_DIR

    return Path(SACREBLEU_DIR, reference.removeprefix(SACREBLEU).rpartition("/")[0])


def weights_name(weights: Weights) -> str:
    """For people: the file's name, the hub repository, or the path."""
    return weights.file or str(weights.sources[0].get("hub") or weights.sources[0].get("path"))


def disk_usage(path: Path) -> int:
    """Bytes of a file, or of all files in a folder. A file with several hard links counts once."""
    files = [path] if path.is_file() else path.rglob("*")
    stats = (file.stat() for file in files if file.is_file())
    return sum({(stat.st_dev, stat.st_ino): stat.st_size for stat in stats}.values())


def _component(name: str, kind: Kind, node: DictConfig, target: DictConfig, **arguments: Any) -> Component:
    config: dict[str, Any] = {}
    try:
        with friendly_errors():
            resolved = OmegaConf.to_container(node, resolve=True)
            assert isinstance(resolved, dict)
            config = {str(key): value for key, value in resolved.items()}
            instance: Adapter | Scorer = instantiate(target, **arguments)
            return Component(name, kind, config, instance, tuple(instance.needs()))
    except BenchError as error:
        return Component(name, kind, config, None, error=str(error))
