"""Reads a hypothesis for the accepted forms of terms, as a person does who knows that a word has more than one spelling.

English: in any case, but for acronyms; singular, plural and possessive; a hyphen, a space or nothing between words; “U.N.” is “UN”; “of”, “for”,
“on” and “over” are alike, and so are “and”, “&” and the commas of a list. A phrase may be turned round its preposition (“mass
destruction weapons”, “control of exports”), a list may have any order, and a word may be shared: “traditional and
non-traditional security” has both. Whole words only: “re-export control” is no “export control”. Other forms of a verb count where
they are listed: “developed countries” are no “developing countries”.

Chinese: anywhere, since nothing divides words; 与, 及, 以及 and 、 are 和, 或者 is 或; white space and width do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations

from bench.languages import Language
from bench.references.segmentation.pieces import FUNCTION_WORDS, HAN
from bench.references.terms import Term

_NARROW = {0x3000: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}}
_PLAIN = {**_NARROW, ord("‘"): "'", ord("’"): "'", ord("‐"): "-", ord("‑"): "-", 0xAD: ""}

_ITEM = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_LIST = re.compile(rf"{_ITEM}(?:(?:,&?|&| or ){_ITEM})+")
_SHARED = r"(?=(?:(?:,&?|&)[a-z0-9-]{1,30}){1,3}[- ]"
_PHRASE_ENDS = rf"(?= ?(?:$|[^a-z0-9 &-])| (?:{'|'.join(sorted(FUNCTION_WORDS - {'and', 'or', 'nor'}))})\b)"
"""“The control of exports”, but not the “system of international” with which “system of international law” begins."""
_MOST_WORDS = 6
"""Of a phrase that is turned round or shared; what is longer is a title, and has its own order."""
_MOST_ITEMS = 4


def reader(
    wanted: Sequence[Term], terms: Sequence[Term], language: Language
) -> Callable[[str], dict[Term, tuple[str, ...]]]:
    """What finds in a hypothesis, for each of the `wanted` terms, those of its forms that stand there, as they are listed; none
    where it has none.

    `wanted` are some of the set's `terms`. A text is read as bench.references.terms.occurrences reads it: the longest form
    counts, and reading goes on behind it. Only what is wanted takes text away: where 出口管制 is wanted, 出口管制措施 has it too.
    But 防扩散 is the opposite of 扩散 and never has it, if it is a term of the set.
    """
    owners: dict[str, dict[Term, str]] = {}
    lengths: dict[str, int] = {}
    for term in wanted:
        for form in term.forms(language):
            for expression in _expressions(form, language):
                owners.setdefault(expression, {}).setdefault(term, form)
                lengths.setdefault(expression, len(form))
    if language == "zh":
        opposites = [no + _folded(form, "zh") for term in wanted for form in term.zh for no in "不非防反无"]
        for form in (form for term in terms for form in term.zh):
            if any(opposite in _folded(form, "zh") for opposite in opposites):
                for expression in _expressions(form, "zh"):
                    owners.setdefault(expression, {})
                    lengths.setdefault(expression, len(form))
    longest_first = sorted(owners, key=lambda expression: -lengths[expression])
    whole = "|".join(f"({expression})" for expression in longest_first) or r"(?!)"
    if language == "en":
        # No English form has Han in it: an untranslated text is passed over fast.
        whole = rf"(?![{HAN}])(?<![a-z0-9-])(?<!\bnon )(?:{whole})(?![a-z0-9])"
    pattern, groups = re.compile(whole), [owners[expression] for expression in longest_first]

    def read(text: str) -> dict[Term, tuple[str, ...]]:
        found: dict[Term, dict[str, None]] = {term: {} for term in wanted}
        matches = pattern.finditer(_folded(text, language)) if wanted else ()
        # What can count for one term only goes first.
        for forms in sorted((groups[(match.lastindex or 0) - 1] for match in matches), key=len):
            for term in _meant(forms, {term for term in wanted if found[term]}):
                if language == "zh" or _capitals(forms[term], text):
                    found[term][forms[term]] = None
        return {term: tuple(forms) for term, forms in found.items()}

    return read


def _meant(owners: Iterable[Term], rendered: Container[Term]) -> list[Term]:
    """For which of its terms a form counts. For all, as “legal and regulatory system” does for 法律制度 and 管理体系; but where
    one term is part of another, as 出口管制 is of 出口管制措施, for one of them: one that still wants it, the longer first."""
    meant: list[Term] = []
    for term in sorted(owners, key=lambda term: (term in rendered, -len(term.zh[0]))):
        if not any(_within(term, other) or _within(other, term) for other in meant):
            meant.append(term)
    return meant


def _capitals(form: str, text: str) -> bool:
    """Whether a text has an acronym as one, and not the “who” that is no WHO."""
    letters, plain = form.replace(".", ""), text.translate(_PLAIN).replace(".", "")
    return not form.isupper() or bool(re.search(rf"(?<![A-Za-z]){re.escape(letters)}(?![A-Z])", plain))


def _within(term: Term, other: Term) -> bool:
    return any(part in whole for part in term.zh for whole in other.zh)


def _folded(text: str, language: Language) -> str:
    """A text as it is compared: what may differ is written in one way."""
    if language == "zh":
        text = "".join(text.casefold().translate(_NARROW).split())
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
    """The S-stemmer (Harman 1991, “How effective is suffixing?”), which takes off no more than the plural; and “boxes”."""
    if len(word) < 4 or word.endswith(("us", "ss", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word.removesuffix("s")


@lru_cache(maxsize=4096)
def _expressions(form: str, language: Language) -> tuple[str, ...]:
    """The ways to write a form, as regular expressions over what is folded."""
    folded = _folded(form, language).strip(" ,&-")
    if not folded:
        return ()
    return tuple(_ways(folded)) if language == "en" else (re.escape(folded),)


def _ways(form: str) -> Iterator[str]:
    yield _expression(form)
    words = form.split(" ")
    if len(words) > _MOST_WORDS:
        return
    if found := _LIST.search(form):
        items = re.findall(_ITEM, found[0].replace(" or ", ","))
        gaps = [*re.findall(r",&?|&| or ", found[0]), ""]
        if len(items) <= _MOST_ITEMS:
            for order in permutations(items):
                listing = "".join(item + gap for item, gap in zip(order, gaps, strict=True))
                yield _expression(form[: found.start()] + listing + form[found.end() :])
    elif form.count(" of ") == 1 and len(words) > 3:  # “law rules” are no “rule of law”
        head, modifier = form.split(" of ")
        yield _expression(f"{modifier} {head}")
    elif "of" not in words:
        for cut in range(1, len(words)):
            yield _expression(f"{' '.join(words[cut:])} of {' '.join(words[:cut])}") + _PHRASE_ENDS
    if len(words) > 1:
        yield f"{re.escape(words[0])}{_SHARED}{_expression(' '.join(words[1:]))}(?![a-z0-9]))"


def _expression(form: str) -> str:
    """Where a form has a hyphen or a space, a text may have either or nothing; in a list, “and” or a comma or both."""
    parts = re.split(r"([- ]|,?&|,)", form)
    gaps = ["[- ]?" if part in " -" else "(?:,&?|&)" for part in parts[1::2]]
    return "".join(re.escape(part) + gap for part, gap in zip(parts[::2], [*gaps, ""], strict=True))
