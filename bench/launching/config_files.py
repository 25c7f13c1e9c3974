"""The yaml files of --config-dir: read with bounds, before Hydra makes settings of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import yaml
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import limits
from bench.errors import BenchError
from bench.files import decode_text, read_bytes

SCHEME = "bench"
_ADVICE = "correct the file, or leave it out of --config-dir"


class ConfigFiles(ConfigSource):
    """Hydra's own source for files opens whatever there is (a FIFO, a file without an end), and its errors are
    not sentences."""

    @staticmethod
    def scheme() -> str:
        return SCHEME

    def load_config(self, config_path: str) -> ConfigResult:
        path = self._file(config_path)
        text = decode_text(read_bytes(path, limits.CONFIG_BYTES, advice=_ADVICE), path, advice=_ADVICE)
        try:
            _check_size(yaml.compose(text, Loader=yaml.SafeLoader), path)
            header = self._get_header_dict(text)
            if config_path.startswith("metric/") and not header.get("package"):
                header["package"] = f"metric.{path.stem}"  # a run has several metrics, each under its own key
            config = OmegaConf.load(io.StringIO(text))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{path}:{mark.line + 1}" if mark else str(path)
            problem = getattr(error, "problem", None) or "a character that YAML does not allow"
            raise BenchError(f"{place}: not YAML ({problem}): {_ADVICE}.") from None
        except (OmegaConfBaseException, ValueError, TypeError, OSError, RecursionError) as error:
            problem = (str(error).splitlines() or ["unreadable"])[0]
            raise BenchError(f"{path} is not a configuration ({problem}): {_ADVICE}.") from None
        if not OmegaConf.is_dict(config):
            raise BenchError(f"{path} is a list, not a mapping of settings: {_ADVICE}.")
        defaults = OmegaConf.to_container(config, resolve=False).get("defaults")  # type: ignore[union-attr]
        if any("${" in text or ".." in text for text in _texts(defaults)):
            raise BenchError(f"{path}: `defaults` has ${{…}} or a path with `..`: name files of this folder.")
        return ConfigResult(self.provider, f"{SCHEME}://{self.path}", config, header)

    def available(self) -> bool:
        return self.is_group("")

    def is_group(self, config_path: str) -> bool:
        return (Path(self.path) / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        path = self._file(config_path)
        return path.exists() and not path.is_dir()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        names: list[str] = []
        for path in (Path(self.path) / config_path).iterdir():
            self._list_add_result(names, str(Path(config_path) / path.name), path.name, results_filter)
        return sorted(set(names))

    def _file(self, config_path: str) -> Path:
        return Path(self.path) / self._normalize_file_name(config_path)


Plugins.instance().register(ConfigFiles)


def _check_size(root: yaml.Node | None, path: Path) -> None:
    """Refuse a file whose anchors (&a, *a) make more values of it than a configuration has."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node | None, level: int) -> int:
        if level > limits.SETTING_LEVELS or sizes.get(id(node)) == 0:  # 0: inside of itself
            raise BenchError(f"{path} is nested more than {limits.SETTING_LEVELS} levels deep: {_ADVICE}.")
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if id(node) not in sizes:
            sizes[id(node)] = 0
            is_mapping = isinstance(node, yaml.MappingNode)
            parts = (part for pair in node.value for part in pair) if is_mapping else node.value
            sizes[id(node)] = 1 + sum(size(part, level + 1) for part in parts)
        return sizes[id(node)]

    if size(root, 0) > limits.SETTINGS:
        raise BenchError(f"{path} has more than {limits.SETTINGS} values: {_ADVICE}.")


def _texts(value: object) -> Iterator[str]:
    """All texts in a list or a mapping, keys included."""
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
