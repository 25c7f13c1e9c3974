"""Run by tests/translation/test_killed.py in a process of its own: translate, and be killed (kill -9) at
random moments, again and again.

    python killed.py CHECKPOINT FOLDER KILLS SEED     ends with a line of JSON that says what was seen

The models are imported once; each attempt is a fork, so that thirty of them take seconds. Torch is given one
thread, since a pool of threads does not survive a fork.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
import transformers  # noqa: F401  # before the forks, so that none of them imports it again

from bench import progress, references
from bench.adapters.llm import LLM
from bench.core import Task
from bench.prompt import Prompt
from bench.records import SystemCard
from bench.store.journal import finished_hypotheses, read_journals
from bench.store.run import read_run
from bench.translation.driver import TranslationJob, translate

TASK = Task(references.load("china-export-controls-2021"), "zh-en")


def attempt(checkpoint: str, folder: Path, batch_tokens: int) -> None:
    adapter = LLM(checkpoint, Prompt("p", "Translate: {source}"), max_new_tokens=40, direction="zh-en")
    translate(TranslationJob(TASK, adapter, SystemCard("tiny"), folder, batch_tokens))


def fork(checkpoint: str, folder: Path, batch_tokens: int) -> int:
    if child := os.fork():
        return child
    try:
        attempt(checkpoint, folder, batch_tokens)
    finally:
        os._exit(0)


def main(checkpoint: str, folder: Path, kills: int, seed: int) -> None:
    torch.set_num_threads(1)
    progress.configure(quiet=True)
    moments = random.Random(seed)
    began = time.monotonic()
    attempt(checkpoint, folder.with_name("undisturbed"), batch_tokens=20_000)
    whole = time.monotonic() - began  # loading and all
    steps: list[int] = []
    looks, seen = 0, list[str]()
    for _ in range(kills):
        child = fork(checkpoint, folder, batch_tokens=300)
        # Before so many more segments are finished, or while it loads. So a busy machine spreads them as well.
        more, end = moments.randrange(3), time.monotonic() + moments.uniform(0, whole / 2)
        finished, done = len(finished_hypotheses(folder)), False
        while not done:
            done = bool(read_run(folder))
            lines = [entry.hypothesis.key for entry in read_journals(folder)]
            assert lines[: len(seen)] == seen or read_run(folder), "what was finished stays"
            seen, looks = lines, looks + 1
            done |= len(lines) >= finished + more if more else time.monotonic() > end
        time.sleep(moments.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        steps.append(len(finished_hypotheses(folder)))
    attempt(checkpoint, folder, batch_tokens=300)
    print(json.dumps({"steps": steps, "looks": looks}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
