"""Whatever a server does to a key that it repeats, what is kept does not hold it."""

from __future__ import annotations

import base64
import html
import json
import re
import string
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.redaction import hide_key

KEY = "sk-recognisable-0123456789abcdef"


def between(separator: str) -> Callable[[str], str]:
    return lambda text: separator.join(text)


def each(template: str) -> Callable[[str], str]:
    return lambda text: "".join(template.format(ord(c)) for c in text)


def encoded(before: str, encode: Callable[[bytes], bytes]) -> Callable[[str], str]:
    return lambda text: encode((before + text).encode()).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "spaces": between(" "),
    "line breaks": between("\r\n"),
    "zero width": between("\u200b\u2060"),
    "direction": between("\u202e"),
    "colours": between("\x1b[1;31m"),
    "escaped colours": between("\\u001b[31m"),
    "a terminal's links": between("\x1b]8;;http://example.org\x07"),
    "tags": between("<wbr>"),
    "wide letters": lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text),
    "accents": between("\u0301"),
    "JSON": each("\\u{:04x}"),
    "JSON, its first letter": lambda text: f"\\u{ord(text[0]):04X}{text[1:]}",
    "JSON in JSON": lambda text: json.dumps(json.dumps(each("\\u{:04x}")(text))),
    "hexadecimal escapes": each("\\x{:02x}"),
    "octal escapes": each("\\{:03o}"),
    "JavaScript": each("\\u{{{:x}}}"),
    "entities": each("&#{};"),
    "hexadecimal entities": each("&#x{:X};"),
    "entities twice": lambda text: html.escape(each("&#{};")(text)),
    "percent": each("%{:02x}"),
    "percent twice": lambda text: urllib.parse.quote(each("%{:02X}")(text)),
    "quoted-printable": each("={:02X}"),
    "base64": encoded("", base64.b64encode),
    "base64 of a header": encoded("Bearer ", base64.b64encode),
    "base64 of a user": encoded("me:", base64.urlsafe_b64encode),
    "base64 of JSON, wrapped": encoded('{"k":"', base64.encodebytes),
    "hexadecimal": lambda text: text.encode().hex(" "),
}


def remains(text: str, key: str) -> bool:
    """Whether twelve letters and digits of the key are still in a row, as they are or escaped."""
    for _ in range(4):
        letters = re.sub("[^a-z0-9]", "", text.lower())
        wanted = re.sub("[^a-z0-9]", "", key.lower())
        if any(wanted[i : i + 12] in letters for i in range(len(wanted) - 11)):
            return True
        text = html.unescape(urllib.parse.unquote(text))
        text = re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-f]{2})", lambda m: chr(int(m[1] or m[2], 16)), text)
    return False


@pytest.mark.parametrize("prose", [False, True])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_key_is_found_in_every_spelling(spelling: str, prose: bool) -> None:
    hidden = hide_key(f"Wrong key: {SPELLINGS[spelling](KEY)}, 出口。", KEY, prose=prose)
    assert "[key]" in hidden
    assert hidden.startswith("Wrong key: ")
    assert hidden.endswith(", 出口。")
    assert not remains(hidden, KEY)


@pytest.mark.parametrize("part", [KEY[:16], KEY[:20], KEY[-16:], KEY[8:24], KEY.upper()[:-3]])
def test_a_part_of_the_key_is_found(part: str) -> None:
    for prose in (False, True):
        assert hide_key(f"<{part}…>", KEY, prose=prose) in ("<[key]…>", "<[key]-…>")


ALPHABET = string.ascii_letters + string.digits + "-_"
keys = st.text(string.ascii_letters + string.digits, min_size=16, max_size=60).filter(
    lambda key: len(set(key)) > 8 and any(map(str.isdigit, key[:12]))
)


@settings(max_examples=200, deadline=None)
@given(
    keys, st.sampled_from(sorted(SPELLINGS)), st.text(max_size=30), st.text(max_size=30), st.integers(12, 60)
)
def test_no_text_around_the_key_saves_it(key: str, name: str, before: str, after: str, length: int) -> None:
    spelled = SPELLINGS[name](key[:length] if "base64" not in name else key)
    hidden = hide_key(f"{before} {spelled} {after}", key)
    assert "[key]" in hidden
    assert spelled not in hidden
    assert not remains(hidden, key)


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text(ALPHABET + " \\%&;=<>\x1b[u0"))
def test_a_text_without_the_key_stays_as_it_is(text: str, escapes: str) -> None:
    for prose in (False, True):
        assert hide_key(text + escapes, KEY, prose=prose) == text + escapes


def test_words_of_a_translation_are_no_key() -> None:
    """A local server takes any word as its key."""
    words = "a local translation server for all"
    assert hide_key(words, "local-translation-server-1", prose=True) == words
    assert hide_key(words, "local-translation-server-1") == "a [key] for all"


def test_short_keys_and_keys_without_letters() -> None:
    assert hide_key("it is test, TEST", "test") == "it is [key], TEST"
    assert hide_key("----++++----++++ - +", "----++++----++++") == "[key] - +"
    assert hide_key("hunter2-42 is hunter2 42", "hunter2-42") == "[key] is [key]"
    assert hide_key("nothing", "") == "nothing"
