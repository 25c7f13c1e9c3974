"""A system that ran elsewhere: its outputs are read from a file, matched by segment id, and never cleaned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from bench import limits, progress, references
from bench.adapters._alignment import shifted_lines, warn_of_equal
from bench.adapters._output_files import file_bytes, has_ids, read_outputs
from bench.core import Adapter, Granularity, Output, Source, Task
from bench.errors import BenchError
from bench.languages import Direction


class Hypotheses(Adapter):
    """Outputs from the file `path`, in any layout that bench.adapters._output_files reads.

    "{direction}" in `path` is replaced by zh-en or en-zh. The file must cover the set exactly. Only JSON can
    hold texts with line breaks, as the document view has them.
    """

    def __init__(
        self,
        path: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PATH_CHARACTERS)],
        reference: str,
        granularity: Granularity = "sentence",
        *,
        direction: Direction,
    ) -> None:
        super().__init__(direction)
        self.path = Path(path.replace("{direction}", direction)).expanduser()
        self.reference = reference
        self.granularity = granularity
        if not self.path.is_file():
            raise BenchError(f"There is no hypotheses file {self.path}: set system.adapter.path to one.")

    def identity(self) -> dict[str, object]:
        return {
            "adapter": "hypotheses",
            "version": 1,
            "sha256": hashlib.sha256(file_bytes(self.path)).hexdigest(),
        }

    def load(self) -> None:
        reference = references.load(self.reference, self.granularity)
        task = Task(reference, self.direction)
        self.texts = read_outputs(self.path, task.ids, reference.id, task.target_language)
        self._check(task)

    def _check(self, task: Task) -> None:
        """Raise BenchError if the lines of a plain file are shifted; say so if the file has ids, and if its
        texts are those of the reference or the source."""
        texts = [self.texts[id] for id in task.ids]
        if shift := shifted_lines(texts, task):
            if not has_ids(self.path, task.target_language):
                raise BenchError(
                    f"{self.path}: {shift}; correct the file, or give the outputs with ids (.jsonl)."
                )
            progress.say(f"{self.path}: {shift}.", warning=True)
        warn_of_equal(self.path, texts, task)

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for source in sources:
            yield source.id, Output(text=self.texts[source.id])

    def facts(self) -> dict[str, str]:
        return {"device": "none"}  # it ran elsewhere
