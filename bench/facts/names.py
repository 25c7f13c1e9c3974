"""Names that both languages can be checked for: names in Latin letters, and names of the embedded lexicon."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from bench.facts.mention import Mention, Name, Text, mention
from bench.languages import Language
from bench.references.alignment.lexicon import LexiconIndex, embedded_names

_LATIN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*(?:[-'’.&/][A-Za-z0-9]+)*(?![A-Za-z0-9])")
_CODE = re.compile(
    r"\b(?!(?:RMB|USD?|HKD?|CNY|EUR|GBP|JPY)\b|(?:RMB|USD?|HKD?|CNY|EUR|GBP|JPY)\d)[A-Z]{1,8}(?:[-/][A-Z]{1,8})*[-/]?\d\w*(?:-\w+)*|\b(?i:covid)-?19\b"
)
_ENGLISH_WORD = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]\b)*(?:[-'’][A-Za-z]+)*")
_SKIPPED = frozenset("the of on for and in to".split())
_CAPITALISED = re.compile(r"[A-Z][A-Za-z]+(?: (?:of|the|and|for|on|in|to|[A-Z][A-Za-z]+)){1,9}")
_MAX_ACRONYM = 7
_DOLLAR = re.compile(r"\$| dollar")
_MIN_LATIN = 2
_COMMON = frozenset("我国 共和国 人民共和国 东部 西部 南部 北部 中部 东北 海湾 原子能 汉族 回族 海地".split())
"""Entries of the lexicon that are no names wherever they stand (沿海地区), or that translators leave out."""
_STATES = dict(
    zip(
        "中美英法德日俄印巴韩朝欧澳加",
        "中国 美国 英国 法国 德国 日本 俄罗斯 印度 巴基斯坦 韩国 朝鲜 欧洲 澳大利亚 加拿大".split(),
        strict=True,
    )
)
_SHORT_STATES = re.compile(rf"[{''.join(_STATES)}]{{2,4}}|[{''.join(_STATES)}](?=[方国军媒])")
"""中美, 印巴, 美方: short names of states."""
_PEOPLES = {
    "german": "germany", "pole": "poland", "filipino": "philippines", "philippine": "philippines", "dane": "denmark",
    "swede": "sweden", "finn": "finland", "turk": "turkey", "spaniard": "spain", "portuguese": "portugal",
    "hungarian": "hungary", "ukrainian": "ukraine", "palestinian": "palestine", "afghan": "afghanistan",
    "kazakh": "kazakhstan", "uzbek": "uzbekistan", "kyrgyz": "kyrgyzstan", "tajik": "tajikistan",
    "turkmen": "turkmenistan", "sino": "china", "burmese": "burma", "argentine": "argentina", "america": "american",
    "taiwanese": "taiwan", "scot": "british", "chilean": "chile",
}  # fmt: skip
_ALIASES = {
    "七国集团": "g7", "八国集团": "g8", "二十国集团": "g20", "七十七国集团": "g77",
    "世界卫生组织": "who", "世卫组织": "who",
}  # fmt: skip
"""Further names in Latin letters of what the lexicon lists."""
_PEOPLE_SUFFIXES = ("n", "an", "ian", "ese", "i", "s")


def fold_latin(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def find_latin(rest: Text) -> list[Mention]:
    """Names in Latin letters inside a Chinese text: WTO, COVID-19, G20."""
    return rest.take(_LATIN, _latin)


def _latin(match: re.Match[str]) -> Mention | None:
    name = fold_latin(match[0])
    if (
        len(name) < _MIN_LATIN
        or re.fullmatch("[ivx]+", name)
        or name in ("us", "rmb", "usd", "hk", "cny", "eur")
    ):
        return None
    # Other names may be written in Chinese characters as well. A gloss in brackets may be left out.
    is_code = bool(re.fullmatch(r"(?=.*[A-Z].*[A-Z]|.*\d)[^a-z]*", match[0]))
    in_brackets = match.string[match.start() - 1 : match.start()] == "("
    return mention(match, Name(name), weak=not is_code or in_brackets)


def find_codes(rest: Text) -> list[Mention]:
    """Names with digits in an English text: their digits are no numbers."""
    return rest.take(_CODE, lambda match: mention(match, Name(fold_latin(match[0]))))


def find_listed(text: str, language: Language) -> list[Mention]:
    """Names of the embedded lexicon in a text. In English also every word that may be a name in Latin
    letters."""
    return _chinese(text) if language == "zh" else _english(text)


@cache
def _chinese_index() -> tuple[LexiconIndex, dict[str, tuple[Name, ...]]]:
    """The words, and word -> the names that share a rendering with it."""
    owners: dict[str, set[str]] = defaultdict(set)
    for word, renderings in embedded_names().items():
        for rendering in renderings:
            if len(rendering) > 1:
                owners[rendering].add(word)
    return LexiconIndex(embedded_names()), {
        word: tuple(
            map(
                Name,
                [
                    word,
                    *sorted({o for r in renderings for o in owners.get(r, ())} - {word}),
                    *([_ALIASES[word]] if word in _ALIASES else []),
                ],
            )
        )
        for word, renderings in embedded_names().items()
    }


def _chinese(text: str) -> list[Mention]:
    index, names = _chinese_index()
    mentions = []
    for word in sorted(index.words_in(text)):
        start = text.find(word)
        mentions.append(Mention(names[word], word, start, start + len(word), word in _COMMON))
    for match in _SHORT_STATES.finditer(text):
        mentions += [mention(match, Name(_STATES[state]), weak=True) for state in match[0]]
    return mentions


@cache
def _english_index() -> dict[str, list[tuple[tuple[str, ...], tuple[Name, ...]]]]:
    """First word -> (all words of a rendering, the names that it renders), the longest first."""
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for word, renderings in embedded_names().items():
        for rendering in renderings:
            words = tuple(_plain(part) for part in re.split(r"[ -]", rendering))
            if len("".join(words)) > 1:
                owners[words].add(word)
    index: dict[str, list[tuple[tuple[str, ...], tuple[Name, ...]]]] = defaultdict(list)
    for words, names in owners.items():
        index[words[0]].append((words, tuple(map(Name, sorted(names)))))
    for entries in index.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return index


@cache
def _states() -> dict[str, bool]:
    """The last words of names: Africa of South Africa."""
    return {words[-1]: True for entries in _english_index().values() for words, _ in entries}


def _plain(word: str) -> str:
    return re.sub(r"['’]s?$", "", word.lower().replace(".", ""))


def _english(text: str) -> list[Mention]:
    return [*_listed_in_english(text), *_latin_in_english(text), *_acronyms(text)]


def _listed_in_english(text: str) -> list[Mention]:
    """At each word the longest rendering of the lexicon, without the words that it skips (of, the)."""
    index = _english_index()
    words = [
        (_plain(part), match.start() + offset, match.start() + offset + len(part))
        for match in _ENGLISH_WORD.finditer(text)
        for offset, part in _parts(match[0])
        if part.lower() not in _SKIPPED
    ]
    mentions = []
    for i, (word, start, _) in enumerate(words):
        entries = index.get(word, [])
        if not entries and (state := _state(word, index)):
            entries = [((word,), names) for rendering, names in index[state] if len(rendering) == 1]
        for rendering, names in entries:
            following = [w for w, _, _ in words[i : i + len(rendering)]]
            if len(following) > 1:  # South African
                following[-1] = _state(following[-1], _states()) or following[-1]
            if tuple(following) == rendering:
                end = words[i + len(rendering) - 1][2]
                surface = text[start:end]
                is_pronoun = rendering in (("us",), ("who",)) and not surface.isupper()
                if not is_pronoun and not _DOLLAR.match(text, end):
                    mentions.append(Mention(names, surface, start, end, weak=not surface[0].isupper()))
                break
    return mentions


def _latin_in_english(text: str) -> list[Mention]:
    """Every word: which of them are names is known from the Chinese side."""
    mentions = []
    for match in _LATIN.finditer(text):
        names = [Name(fold_latin(match[0]))]
        if re.fullmatch("[A-Z]{2,}s", match[0]):  # IPOs
            names.append(Name(fold_latin(match[0][:-1])))
        # A word in lower case renders an acronym, but is no name itself: the most IN match.
        mentions.append(mention(match, *names, weak=match[0].islower()))
    return mentions


def _acronyms(text: str) -> list[Mention]:
    """The initials of names: World Trade Organization renders WTO."""
    mentions = []
    for match in _CAPITALISED.finditer(text):
        every = "".join(word[0] for word in match[0].split())
        for letters in {every, "".join(filter(str.isupper, every))}:
            for start in range(len(letters)):
                for end in range(start + 2, min(len(letters), start + _MAX_ACRONYM) + 1):
                    mentions.append(mention(match, Name(letters[start:end].lower()), weak=True))
    return mentions


def _state(word: str, index: Mapping[str, object]) -> str:
    """The state of a people: brazilian -> brazil; "" if there is none."""
    singular = word.removesuffix("s")
    if singular in _PEOPLES:
        return _PEOPLES[singular]
    for suffix in _PEOPLE_SUFFIXES:
        stem = singular.removesuffix(suffix)
        if stem != word and len(stem) > 3 and stem in index:
            return stem
    return ""


def _parts(word: str) -> list[tuple[int, str]]:
    return [(match.start(), match[0]) for match in re.finditer(r"[^-]+", word)]
