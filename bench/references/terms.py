"""terms.tsv: the terms of a reference set, their accepted forms, and the segments that contain them.

People write this file in the folder of a set. Its columns: zh and en (the official form, then accepted
variants, separated by `|`), segments (ids of the segments whose two texts both have the term, separated by
spaces), note.

`occurrences` finds the listed forms exactly, in official texts. renderings.py finds them in hypotheses, where
spelling and word order may vary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from bench import references
from bench.core import Segment
from bench.errors import BenchError
from bench.languages import HAN, LANGUAGE_NAMES, LATIN_WORD, Language
from bench.references.script import to_simplified
from bench.references.set_folder import read_text

FILE = "terms.tsv"
_COLUMNS = ("zh", "en", "segments", "note")
_HEADER = f"write {', '.join(_COLUMNS)} with tabs between them"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Term:
    zh: tuple[str, ...]
    """The official form, then accepted variants."""
    en: tuple[str, ...]
    segments: tuple[str, ...]
    """Ids of the segments whose two texts both have the term, each in one of its forms."""
    note: str

    def forms(self, language: Language) -> tuple[str, ...]:
        return self.zh if language == "zh" else self.en


def read(folder: Path) -> tuple[Term, ...]:
    """The terms of the set in `folder`, in the order of the file; () if it has no terms.tsv.

    Raises BenchError, with file and line, at the first fault. Only `check_terms` checks the column `segments`
    against the texts.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    ids = {segment.id for segment in references.load(folder).segments}
    header, *lines = read_text(path).removesuffix("\n").split("\n")
    if tuple(header.split("\t")) != _COLUMNS:
        raise BenchError(f"{path}:1: the header is {header!r}; {_HEADER}.")
    terms = []
    zh_forms: set[str] = set()
    for number, line in enumerate(lines, 2):
        location, cells = f"{path}:{number}", line.split("\t")
        if len(cells) == len(_COLUMNS) - 1:  # editors like to remove the tab before an empty note
            cells.append("")
        if len(cells) != len(_COLUMNS):
            raise BenchError(f"{location}: {len(cells)} columns; {_HEADER}.")
        term = Term(tuple(cells[0].split("|")), tuple(cells[1].split("|")), tuple(cells[2].split()), cells[3])
        _check_forms(term, zh_forms, location)
        zh_forms.update(term.zh)
        for id in term.segments:
            if id not in ids or term.segments.count(id) > 1:
                raise BenchError(
                    f"{location}: segment {id!r} is not in the set or is listed twice; correct the id."
                )
        terms.append(term)
    return tuple(terms)


def occurrences(terms: Sequence[Term], text: str, language: Language) -> Counter[Term]:
    """The number of times that each term occurs in an official text of that language.

    Reads the text from left to right. At each position the longest form of any term counts, and reading
    continues after it: 国家安全 inside 总体国家安全观 is not counted, nor is "export control" inside "export
    control system". A form that two terms share counts for both. Chinese forms match anywhere, Traditional characters
    match Simplified ones. English forms
    match complete words in any case; an inflected form counts only if it is listed.
    """
    counts: Counter[Term] = Counter()
    for owners in _exact_search(tuple(terms), language)(_normalised(text)):
        counts.update(owners)
    return counts


def check_terms(terms: Sequence[Term], segments: Sequence[Segment]) -> dict[str, int]:
    """Check the column `segments` of terms.tsv against the texts of the set.

    Returns counts: terms; occurrences (a term in the Chinese of a segment); rendered (those whose English has
    it too). Raises BenchError at the first term whose segments are not exactly the rendered ones.
    """
    in_chinese = 0
    rendered: dict[Term, list[str]] = {term: [] for term in terms}
    for segment in segments:
        zh, en = (occurrences(terms, segment.text(language), language) for language in LANGUAGE_NAMES)
        in_chinese += len(zh)
        for term in zh.keys() & en.keys():
            rendered[term].append(segment.id)
    for number, term in enumerate(terms, 2):
        if set(rendered[term]) != set(term.segments):
            raise BenchError(
                f"{FILE}:{number}: {term.zh[0]} ({term.en[0]}) is in both texts of "
                f"{' '.join(rendered[term]) or 'no segment'}, but the column segments has "
                f"{' '.join(term.segments) or 'none'}; correct this column."
            )
    return {"terms": len(terms), "occurrences": in_chinese, "rendered": sum(map(len, rendered.values()))}


def compile_search(
    owners: Mapping[str, T], lengths: Mapping[str, int], before: str = "", after: str = ""
) -> Callable[[str], Iterator[T]]:
    """A function that searches a text for many regular expressions at once and yields the owner of each
    match.

    Matches come from left to right and do not overlap. Where several expressions match, the one with the
    greatest length wins. `owners` and `lengths` have the same keys, expressions without groups. `before` and
    `after` are conditions on the surroundings of every match.
    """
    expressions = sorted(owners, key=lambda expression: -lengths[expression])
    alternatives = "|".join(f"({expression})" for expression in expressions) or r"(?!)"
    pattern = re.compile(f"{before}(?:{alternatives}){after}")
    by_group = [owners[expression] for expression in expressions]

    def search(text: str) -> Iterator[T]:
        return (by_group[(match.lastindex or 0) - 1] for match in pattern.finditer(text))

    return search


@lru_cache
def _exact_search(terms: tuple[Term, ...], language: Language) -> Callable[[str], Iterator[list[Term]]]:
    """The search for the listed forms in a normalised text."""
    owners: dict[str, list[Term]] = {}
    lengths: dict[str, int] = {}
    for term in terms:
        for form in {_normalised(form) for form in term.forms(language)}:
            owners.setdefault(re.escape(form), []).append(term)
            lengths[re.escape(form)] = len(form)
    edges = ("", "") if language == "zh" else ("(?<![a-z0-9])", "(?![a-z0-9])")
    return compile_search(owners, lengths, *edges)


def _check_forms(term: Term, taken: set[str], location: str) -> None:
    """Raise BenchError if a form is empty, in the wrong column, or already used."""
    for language in LANGUAGE_NAMES:
        forms = term.forms(language)
        for form in forms:
            if not form.strip() or form != form.strip():
                raise BenchError(
                    f"{location}: a form in column {language} is empty or has a space at an end; correct it."
                )
            chinese = HAN.search(form)
            if not (chinese if language == "zh" else LATIN_WORD.search(form) and not chinese):
                raise BenchError(
                    f"{location}: {form!r} is not {LANGUAGE_NAMES[language]}; move it to the other column."
                )
            # Two Chinese terms may share an English form, but a Chinese form belongs to one term.
            if forms.count(form) > 1 or form in taken:
                raise BenchError(f"{location}: the form {form!r} is already listed; remove one of the two.")


def _normalised(text: str) -> str:
    return " ".join(to_simplified(text).casefold().replace("’", "'").split())
