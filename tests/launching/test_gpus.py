"""Several GPUs on one machine: each process gets one of its own. The test needs no CUDA."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.command import bench

SYSTEMS = "first", "second", "third", "fourth"


@pytest.mark.slow
def test_two_processes_get_two_gpus(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="pip install 'bitext-bench[slurm]'")
    (tmp_path / "mine" / "system").mkdir(parents=True)
    for name in SYSTEMS:
        adapter = "{_target_: tests.helpers.slow.Slow, seconds: 0.05}"
        (tmp_path / "mine" / "system" / f"{name}.yaml").write_text(f"name: {name}\nadapter: {adapter}\n")
    overrides = [f"system={','.join(SYSTEMS)}", "direction=zh-en", "metric=[chrf]", "hydra/launcher=gpus"]
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "CUDA_VISIBLE_DEVICES": "5,7",
        "TMPDIR": str(tmp_path),  # the locks of GPUs are there; other tests have their own
    }
    bench(tmp_path, "run", "--config-dir", "mine", *overrides, timeout=400, **environment)
    records = [json.loads(path.read_text()) for path in tmp_path.glob("runs/*/zh-en/*/run.json")]
    assert len(records) == len(SYSTEMS)
    gpu_of_process = {(record["work"]["process"], record["work"]["sees"]) for record in records}
    assert {gpu for _, gpu in gpu_of_process} == {"5", "7"}
    assert len(gpu_of_process) == 2, "a process keeps its GPU"
