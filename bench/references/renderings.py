"""Finds the accepted forms of terms in a hypothesis, tolerant of the ways in which one form can be written.

English: letter case does not matter, except in acronyms. Singular, plural and possessive match. A hyphen
matches a space or nothing. “U.N.” matches “UN”. “of”, “for”, “on” and “over” match each other, and so do
“and”, “&” and the commas of a list. A phrase may be turned around its preposition (“mass destruction
weapons”, “control of exports”), a list may have any order, and a word may be shared: “traditional and
non-traditional security” contains both terms. Only complete words match: “re-export control” is not “export
control”. Other forms of a verb match only if they are listed: “developed countries” is not “developing
countries”.

Chinese: a form matches anywhere, because nothing separates words. 与, 及, 以及 and 、 match 和, and 或者
matches 或. White space and full or half width do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations

from bench.languages import HAN, Language
from bench.references.script import to_simplified
from bench.references.segmentation.pieces import FUNCTION_WORDS
from bench.references.terms import Term, compile_search

_HALF_WIDTH = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_PLAIN = {**_HALF_WIDTH, ord("‘"): "'", ord("’"): "'", ord("‐"): "-", ord("‑"): "-", 0xAD: ""}

_ITEM = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_LIST = re.compile(rf"{_ITEM}(?:(?:,&?|&| or ){_ITEM})+")
_SHARED = r"(?=(?:(?:,&?|&)[a-z0-9-]{1,30}){1,3}[- ]"
_PHRASE_ENDS = rf"(?= ?(?:$|[^a-z0-9 &-])| (?:{'|'.join(sorted(FUNCTION_WORDS - {'and', 'or', 'nor'}))})\b)"
"""What follows a turned phrase. Accepts “the control of exports”, but not “system of international” in
“system of international law”."""
_MAX_WORDS = 6
"""A longer phrase is a title: its words keep their order, and none is shared."""
_MAX_ITEMS = 4
"""A list with more items keeps its order."""


def reader(
    expected: Sequence[Term], terms: Sequence[Term], language: Language, any_script: bool = False
) -> Callable[[str], dict[Term, tuple[str, ...]]]:
    """A function that finds in a hypothesis, for each expected term, those of its forms that are rendered
    there.

    It returns the forms as terms.tsv lists them, and () for a term that is not rendered. `expected` is a
    subset of the set's `terms`. As in `terms.occurrences`, the longest form counts and reading continues
    after it; but only expected terms use text up. If only 出口管制 is expected, 出口管制措施 renders it too.
    A negated term never renders the term itself, if it is a term of the set: 防扩散 does not render 扩散.
    With `any_script`, Traditional and Simplified characters match each other.
    """
    in_script = to_simplified if any_script and language == "zh" else str
    owners: dict[str, dict[Term, str]] = {}
    lengths: dict[str, int] = {}
    for term in expected:
        for form in term.forms(language):
            for expression in _expressions(in_script(form), language):
                owners.setdefault(expression, {}).setdefault(term, form)
                lengths.setdefault(expression, len(form))
    if language == "zh":
        for form in _negated_forms(expected, terms):
            for expression in _expressions(in_script(form), "zh"):
                owners.setdefault(expression, {})
                lengths.setdefault(expression, len(form))
        search = compile_search(owners, lengths)
    else:
        # English forms contain no Han: the first condition makes the search fast in untranslated text.
        before = rf"(?!{HAN.pattern})(?<![a-z0-9-])(?<!\bnon )"
        search = compile_search(owners, lengths, before, "(?![a-z0-9])")

    def renderings(text: str) -> dict[Term, tuple[str, ...]]:
        rendered: dict[Term, dict[str, None]] = {term: {} for term in expected}
        matches = search(_folded(in_script(text), language)) if expected else ()
        for forms in sorted(matches, key=len):  # forms of a single term first: they leave no choice
            for term in _credited(forms, {term for term in expected if rendered[term]}):
                if language == "zh" or _has_capitals(forms[term], text):
                    rendered[term][forms[term]] = None
        return {term: tuple(forms) for term, forms in rendered.items()}

    return renderings


def _negated_forms(expected: Sequence[Term], terms: Sequence[Term]) -> list[str]:
    """The Chinese forms of the set that contain a negated form of an expected term."""
    negated = [
        negation + _folded(form, "zh") for term in expected for form in term.zh for negation in "不非防反无"
    ]
    folded = {form: _folded(form, "zh") for term in terms for form in term.zh}
    return [form for form, text in folded.items() if any(negation in text for negation in negated)]


def _credited(owners: Iterable[Term], rendered: Container[Term]) -> list[Term]:
    """The terms that one occurrence of a shared form renders.

    It renders all of them, as “legal and regulatory system” does for 法律制度 and 管理体系, except where one
    term contains another, as 出口管制措施 contains 出口管制. Then it renders one of them: one that is not
    rendered yet, the longer first.
    """
    credited: list[Term] = []
    for term in sorted(owners, key=lambda term: (term in rendered, -len(term.zh[0]))):
        if not any(_within(term, other) or _within(other, term) for other in credited):
            credited.append(term)
    return credited


def _has_capitals(form: str, text: str) -> bool:
    """False if `form` is an acronym and `text` does not have it in capitals: “who” does not render WHO."""
    letters, plain = form.replace(".", ""), text.translate(_PLAIN).replace(".", "")
    return not form.isupper() or bool(re.search(rf"(?<![A-Za-z]){re.escape(letters)}(?![A-Z])", plain))


def _within(inner: Term, outer: Term) -> bool:
    return any(inner_form in outer_form for inner_form in inner.zh for outer_form in outer.zh)


def _folded(text: str, language: Language) -> str:
    """The text in the form in which texts are compared: variants of spelling become one."""
    if language == "zh":
        text = "".join(text.casefold().translate(_HALF_WIDTH).split())
        return re.sub("以及|[、与及]", "和", text.replace("或者", "或"))
    text = " ".join(text.casefold().translate(_PLAIN).split())
    text = re.sub(r"'s?(?![a-z])", "", text)
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda match: match[0].replace(".", ""), text)
    text = re.sub(r"[a-z]+", lambda match: _singular(match[0]), text)
    text = re.sub(r"(,?) (?:and|&) ", r"\1&", text)
    text = re.sub(r" ?, ?", ",", text)
    text = re.sub(r"\b(?:for|on|over)\b", "of", text)
    return re.sub(r"(\b(?:of|in|to|with) |[&,])(?:the|an?) ", r"\1", text)


def _singular(word: str) -> str:
    """The S-stemmer, which removes only the plural (Harman 1991, “How effective is suffixing?”), extended to
    “boxes”."""
    if len(word) < 4 or word.endswith(("us", "ss", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word.removesuffix("s")


@lru_cache(maxsize=4096)
def _expressions(form: str, language: Language) -> tuple[str, ...]:
    """Regular expressions, without groups, for the ways to write a form in a folded text."""
    folded = _folded(form, language).strip(" ,&-")
    if not folded:
        return ()
    return tuple(_english_expressions(folded)) if language == "en" else (re.escape(folded),)


def _english_expressions(form: str) -> Iterator[str]:
    yield _flexible(form)
    words = form.split(" ")
    if len(words) > _MAX_WORDS:
        return
    if listed := _LIST.search(form):
        items = re.findall(_ITEM, listed[0].replace(" or ", ","))
        gaps = [*re.findall(r",&?|&| or ", listed[0]), ""]
        if len(items) <= _MAX_ITEMS:
            for order in permutations(items):
                reordered = "".join(item + gap for item, gap in zip(order, gaps, strict=True))
                yield _flexible(form[: listed.start()] + reordered + form[listed.end() :])
    elif form.count(" of ") == 1 and len(words) > 3:  # “law rules” is not “rule of law”
        head, modifier = form.split(" of ")
        yield _flexible(f"{modifier} {head}")
    elif "of" not in words:
        for cut in range(1, len(words)):
            yield _flexible(f"{' '.join(words[cut:])} of {' '.join(words[:cut])}") + _PHRASE_ENDS
    if len(words) > 1:
        yield f"{re.escape(words[0])}{_SHARED}{_flexible(' '.join(words[1:]))}(?![a-z0-9]))"


def _flexible(form: str) -> str:
    """An expression in which a hyphen or space also matches the other or nothing, and “and” or a comma the
    other or both."""
    pieces = re.split(r"([- ]|,?&|,)", form)
    gaps = ["[- ]?" if separator in " -" else "(?:,&?|&)" for separator in pieces[1::2]]
    return "".join(re.escape(text) + gap for text, gap in zip(pieces[::2], [*gaps, ""], strict=True))
