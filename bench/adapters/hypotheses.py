"""A system that ran elsewhere: its outputs are read from a file, matched by segment id, and never cleaned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
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
        task, self.texts, shift = self._read()
        if shift:
            progress.say(f"{self.path}: {shift}.", warning=True)
        warn_of_equal(self.path, [self.texts[id] for id in task.ids], task)

    def check(self) -> None:
        """Raise BenchError, as `load` does, if the file does not fit the set."""
        self._read()

    def _read(self) -> tuple[Task, Mapping[str, str], str]:
        """The task, the text of each segment, and in which lines the file seems to be shifted.

        Raises BenchError if a plain file is: its lines have no ids.
        """
        reference = references.load(self.reference, self.granularity)
        task = Task(reference, self.direction)
        texts = read_outputs(self.path, task.ids, reference.id, task.target_language)
        shift = shifted_lines([texts[id] for id in task.ids], task)
        if shift and not has_ids(self.path, task.target_language):
            raise BenchError(
                f"{self.path}: {shift}; correct the file, or give the outputs with ids (.jsonl)."
            )
        return task, texts, shift

    def translate(self, sources: Sequence[Source]) -> Iterator[tuple[str, Output]]:
        for source in sources:
            yield source.id, Output(text=self.texts[source.id])

    def facts(self) -> dict[str, str]:
        return {"device": "none"}  # it ran elsewhere
