"""The terms that a prompt shows with each segment: the set's own, or a random glossary of the same size.

The random one tells the effect of the terms from that of a longer prompt, as the WMT 2025 terminology task has a mode
of random terms. Here they are terms of the same document that the segment does not have.
"""

from __future__ import annotations

import random
from contextlib import suppress

from bench import references
from bench.core import Context, Task
from bench.errors import BenchError
from bench.references.terms import FILE, occurrences, read

SegmentTerms = dict[str, tuple[tuple[str, str], ...]]


def segment_terms(task: Task, context: Context) -> SegmentTerms:
    """Segment id -> its terms as (source, target), in their official forms; empty without a glossary.

    "official": the terms that occur in the source, in the order of their first occurrence. "random": as many others of
    terms.tsv, drawn with the seed and the id. Raises BenchError if the set has no terms.tsv.
    """
    if context.glossary == "none":
        return {}
    folder = None
    with suppress(BenchError):  # a set that came aligned has no folder
        folder = references.find(task.reference.origin or task.reference.id)
    terms = read(folder) if folder else ()
    if not terms:
        raise BenchError(
            f"{task.reference.id} has no {FILE}, from which the prompt takes its glossary: choose a prompt without "
            f"terms, or add {FILE} to the folder of the set."
        )
    found: SegmentTerms = {}
    for id, text in zip(task.ids, task.sources, strict=True):
        shown = list(occurrences(terms, text, task.source_language))
        if context.glossary == "random":
            others = [term for term in terms if term not in shown]
            draw = random.Random(f"{context.seed} {id}")
            shown = draw.sample(others, min(len(shown), len(others)))
        found[id] = tuple(
            (term.forms(task.source_language)[0], term.forms(task.target_language)[0]) for term in shown
        )
    return found
