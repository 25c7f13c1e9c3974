"""The terms of a reference set: what must be called just so, and the segments in which it is.

`terms.tsv` in the set's folder is written by people. Its columns: zh, en (the official form, then accepted variants,
separated by `|`), segments (ids of those in which both sides have the term, separated by spaces), note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bench import references
from bench.core import Segment
from bench.errors import BenchError
from bench.languages import LANGUAGE_NAMES, Language
from bench.references.segmentation.pieces import HAN

FILE = "terms.tsv"
_COLUMNS = ("zh", "en", "segments", "note")
_SCRIPT: Mapping[Language, str] = {"zh": f"[{HAN}]", "en": f"^[^{HAN}]*[A-Za-z][^{HAN}]*$"}


@dataclass(frozen=True, slots=True)
class Term:
    zh: tuple[str, ...]
    """The official form, then the accepted ones."""
    en: tuple[str, ...]
    segments: tuple[str, ...]
    """Ids of the segments whose two texts both have the term in an accepted form."""
    note: str

    def forms(self, language: Language) -> tuple[str, ...]:
        return self.zh if language == "zh" else self.en


def read(folder: Path) -> tuple[Term, ...]:
    """The terms of the set in `folder`, in the order of the file; none where there is no file.

    Raises BenchError, with file and line, for the first thing that is wrong in it. Whether the segments are the right
    ones is for `check_terms` to say.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    ids = {segment.id for segment in references.load(folder).segments}
    head, *lines = references.decode(references.read_bytes(path), path).removesuffix("\n").split("\n")
    if tuple(head.split("\t")) != _COLUMNS:
        raise BenchError(
            f"{path}:1: the header is {head!r}; write {', '.join(_COLUMNS)} with tabs between them."
        )
    terms = []
    chinese: set[str] = set()
    for number, line in enumerate(lines, 2):
        where, cells = f"{path}:{number}", line.split("\t")
        if len(cells) == len(_COLUMNS) - 1:  # editors like to take the tab before an empty note off
            cells.append("")
        if len(cells) != len(_COLUMNS):
            raise BenchError(
                f"{where}: {len(cells)} columns; write {', '.join(_COLUMNS)} with tabs between them."
            )
        term = Term(tuple(cells[0].split("|")), tuple(cells[1].split("|")), tuple(cells[2].split()), cells[3])
        _refuse_bad_forms(term, chinese, where)
        chinese.update(term.zh)
        for id in term.segments:
            if id not in ids or term.segments.count(id) > 1:
                raise BenchError(
                    f"{where}: the set has no segment {id!r}, or it is named twice; mend the id."
                )
        terms.append(term)
    return tuple(terms)


def occurrences(terms: Sequence[Term], text: str, language: Language) -> Counter[Term]:
    """How often each term stands in a text of that language, be it a source, a reference or a hypothesis.

    The text is read from left to right, at each place the longest form of any term counts, and reading goes on behind
    it: 国家安全 inside 总体国家安全观 is not counted, nor is "export control" inside "export control system". A form of two
    terms counts for both. Chinese forms may stand anywhere; English ones are whole words in any case, and an inflected
    form counts only where it is listed.
    """
    found: Counter[Term] = Counter()
    pattern, owners = _pattern(tuple(terms), language)
    for match in pattern.finditer(_plain(text)):
        found.update(owners[match.group()])
    return found


def check_terms(terms: Sequence[Term], segments: Sequence[Segment]) -> dict[str, int]:
    """Counts: terms; occurrences, a term in the Chinese of a segment; rendered, those whose English has it too.

    Raises BenchError at the first term whose segments are not exactly the rendered ones.
    """
    occur: Counter[Term] = Counter()
    rendered: dict[Term, list[str]] = {term: [] for term in terms}
    for segment in segments:
        zh, en = (occurrences(terms, segment.text(language), language) for language in LANGUAGE_NAMES)
        occur.update(zh.keys())
        for term in zh.keys() & en.keys():
            rendered[term].append(segment.id)
    for number, term in enumerate(terms, 2):
        if set(rendered[term]) != set(term.segments):
            raise BenchError(
                f"{FILE}:{number}: {term.zh[0]} ({term.en[0]}) stands on both sides of {' '.join(rendered[term]) or 'no segment'}, "
                f"not of {' '.join(term.segments) or 'none'}; write the right ids."
            )
    return {
        "terms": len(terms),
        "occurrences": sum(occur.values()),
        "rendered": sum(map(len, rendered.values())),
    }


def _refuse_bad_forms(term: Term, taken: set[str], where: str) -> None:
    for language, script in _SCRIPT.items():
        forms = term.forms(language)
        for form in forms:
            if not form.strip() or form != form.strip():
                raise BenchError(
                    f"{where}: a form of {language} is empty or begins or ends with a space; mend it."
                )
            if not re.search(script, form):
                raise BenchError(
                    f"{where}: {form!r} is not {LANGUAGE_NAMES[language]}; put it into its own column."
                )
            # Two Chinese terms may share an English form, but one Chinese form is one term.
            if forms.count(form) > 1 or form in taken:
                raise BenchError(f"{where}: the form {form!r} stands there already; leave one of them.")


@lru_cache
def _pattern(terms: tuple[Term, ...], language: Language) -> tuple[re.Pattern[str], dict[str, list[Term]]]:
    """One expression for all forms, the longest first, and whose form each is."""
    owners: dict[str, list[Term]] = {}
    for term in terms:
        for form in {_plain(form) for form in term.forms(language)}:
            owners.setdefault(form, []).append(term)
    forms = "|".join(map(re.escape, sorted(owners, key=len, reverse=True))) or r"(?!)"
    return re.compile(forms if language == "zh" else rf"(?<![a-z0-9])(?:{forms})(?![a-z0-9])"), owners


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())
