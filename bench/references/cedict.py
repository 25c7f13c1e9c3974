"""Reads CC-CEDICT, the free Chinese-English dictionary (https://cc-cedict.org, CC BY-SA 4.0).

A line is `傳統 传统 [chuan2 tong3] /tradition/traditional/`; lines that start with # are comments.
"""

from __future__ import annotations

import re
from pathlib import Path

from bench.errors import BenchError

_LINE = re.compile(r"^\S+ (\S+) \[[^\]]*\] /(.*)/$")


def load(path: Path) -> dict[str, tuple[str, ...]]:
    """Simplified word -> its glosses; those of homographs follow each other in the order of the file.

    Raises BenchError where the file is missing, a line has another form, or there is no entry at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(
            f"Cannot read the dictionary {path} ({error}): give the path of cc-cedict.txt."
        ) from None
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.match(line.rstrip())
        if not found:
            raise BenchError(
                f"{path}:{number} is not an entry like `傳統 传统 [chuan2 tong3] /tradition/`: get the file again."
            )
        word, glosses = found.groups()
        entries[word] = (*entries.get(word, ()), *(gloss for gloss in glosses.split("/") if gloss))
    if not entries:
        raise BenchError(f"{path} holds no dictionary entry: get cc-cedict.txt again.")
    return entries
