"""Reads CC-CEDICT, the free Chinese-English dictionary (https://cc-cedict.org, CC BY-SA 4.0).

An entry is one line: `傳統 传统 [chuan2 tong3] /tradition/traditional/`. Lines that start with # are
comments.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench import limits
from bench.errors import BenchError
from bench.files import decode_text, read_bytes

_ADVICE = "give the path of cc-cedict.txt"
_ENTRY = re.compile(r"^\S+ (\S+) \[[^\]]*\] /(.*)/$")


def load(path: Path) -> dict[str, tuple[str, ...]]:
    """Simplified Chinese word -> its English glosses, in the order of the file, homographs merged.

    Raises BenchError if the file cannot be read, has a malformed line, or has no entry.
    """
    try:
        data = read_bytes(path, limits.DOCUMENT_BYTES, advice=_ADVICE)
    except FileNotFoundError:
        raise BenchError(f"Cannot read the dictionary {path} (no such file): {_ADVICE}.") from None
    text = decode_text(data, path, advice=_ADVICE)
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        entry = _ENTRY.match(line.rstrip())
        if not entry:
            raise BenchError(
                f"{path}:{number} is not an entry like `傳統 传统 [chuan2 tong3] /tradition/`: "
                "download the file again."
            )
        word, glosses = entry.groups()
        entries[word] = (*entries.get(word, ()), *(gloss for gloss in glosses.split("/") if gloss))
    if not entries:
        raise BenchError(f"{path} has no dictionary entries: download cc-cedict.txt again.")
    return entries
