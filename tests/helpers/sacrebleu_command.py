"""The `sacrebleu` command, whose numbers are the judge of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OPTIONS = {
    ("BLEU", "zh"): ["-m", "bleu", "-tok", "zh"],
    ("BLEU", "en"): ["-m", "bleu"],
    ("chrF", "zh"): ["-m", "chrf"],
    ("chrF", "en"): ["-m", "chrf"],
    ("chrF++", "zh"): ["-m", "chrf", "--chrf-word-order", "2"],
    ("chrF++", "en"): ["-m", "chrf", "--chrf-word-order", "2"],
    ("TER", "zh"): ["-m", "ter", "--ter-normalized", "--ter-asian-support"],
    ("TER", "en"): ["-m", "ter"],
}
"""The options for a metric and a target language."""


def run_sacrebleu(folder: Path, *arguments: str) -> str:
    """What `sacrebleu` prints in `folder`. It uses its default seed."""
    environment = {key: value for key, value in os.environ.items() if key != "SACREBLEU_SEED"}
    command = [sys.executable, "-m", "sacrebleu", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout
