"""The systems and metrics of a run, created but not loaded: for `bench prefetch` and `bench doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig

from bench.core import Adapter, Scorer, Weights
from bench.endpoints import Endpoint
from bench.errors import BenchError
from bench.launching import interpolation, settings
from bench.launching.compose import expand, friendly_errors, job_configs, scorer_nodes
from bench.launching.spelling import as_meant
from bench.references.outside import SACREBLEU

Kind = Literal["system", "metric"]


@dataclass(frozen=True)
class Component:
    """A system or a metric of a run."""

    name: str
    kind: Kind
    config: dict[str, Any]
    """What its yaml says, resolved."""
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
    configs = list(job_configs(expand(as_meant(overrides))[0]))
    for config in configs:
        settings.check_job(config)
    return configs


def run_components(configs: Sequence[DictConfig]) -> list[Component]:
    """The systems and metrics of a run. A system that needs the same in both directions is listed once."""
    components = []
    for config in configs:
        system, arguments = interpolation.recorded(config)["system"], {"direction": config.direction}
        name = str(system["name"])
        components.append(
            _component(name, "system", system, config.system.adapter, "system.adapter", **arguments)
        )
    metrics = interpolation.recorded(configs[0])["metric"] if configs[0].get("metric") else {}
    for metric, node in scorer_nodes(configs[0]).items():
        components.append(_component(metric, "metric", metrics[metric], node, f"metric.{metric}"))
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


def _component(
    name: str, kind: Kind, config: dict[str, Any], target: DictConfig, key: str, **arguments: Any
) -> Component:
    try:
        with friendly_errors():
            instance: Adapter | Scorer = settings.create(target, key, **arguments)
            return Component(name, kind, config, instance, tuple(instance.needs()))
    except BenchError as error:
        return Component(name, kind, config, None, error=str(error))
