"""`bench` in a folder that a stranger filled with modules called like libraries: none of them is imported, also not
by the processes that a command starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.resources import python_command
from tests.helpers.outside import write_parallel_files

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not know PYTHONSAFEPATH"),
]
MODULES = (
    *("pip", "torch", "hydra", "joblib", "submitit", "numpy", "transformers", "huggingface_hub", "sacrebleu"),
    *("omegaconf", "yaml", "click", "filelock", "cloudpickle", "sitecustomize", "usercustomize", "requests"),
    *("socket", "pickle", "multiprocessing", "random", "signal", "struct", "runpy", "ctypes"),
)
RUN = ("run", "-q", "reference=news", "system=copy,dictionary", "direction=zh-en")
COMMANDS = {
    "doctor": ("doctor", "reference=news", "system=copy", "metric=[chrf]"),
    "prefetch": ("prefetch", "reference=news", "system=copy", "metric=[chrf]"),
    "a pool": (*RUN, "metric=[ter]"),
    "joblib": (*RUN, "metric=[chrf]", "hydra/launcher=gpus", "hydra.launcher.n_jobs=2"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_module_of_the_working_folder_is_imported(tmp_path: Path, name: str) -> None:
    if name == "joblib":
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    write_parallel_files(tmp_path / "news")
    executed = tmp_path / "executed"
    for module in MODULES:
        (tmp_path / f"{module}.py").write_text(f"open({str(executed)!r}, 'a').write({module!r} + ' ')\n")
    # As the command `bench` does. `python -m bench` itself imports from the working folder.
    command = [*python_command("from bench.cli.main import main; main()"), *COMMANDS[name]]
    environment = {**os.environ, "BITEXT_BENCH_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert not executed.exists(), executed.read_text()
    assert done.returncode == 0, done.stdout + done.stderr
