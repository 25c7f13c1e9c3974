"""What a publisher puts above the boards of a site: a title, an introduction and a logo."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from bench import limits
from bench.errors import BenchError
from bench.files import decode_text, read_bytes

_FORMATS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
"""First bytes of a file -> its media type."""


def heading(text: str) -> str:
    """A title for the site. Raises BenchError unless it is one short line."""
    if len(text) > limits.NAME_CHARACTERS or not text.isprintable():
        raise BenchError(
            f"The title must be one line of at most {limits.NAME_CHARACTERS} characters: shorten it."
        )
    return text


def contact_address(text: str) -> str:
    """https://… or a mail address, for whoever wants to add a system. Raises BenchError for anything else."""
    address = f"mailto:{text}" if re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", text, re.ASCII) else text
    if not re.fullmatch(r"(https://|mailto:)[!-~]+", address) or len(address) > limits.NAME_CHARACTERS:
        raise BenchError(
            f"{text[:80]!r} is no contact: give a mail address, or the address of a page, https://…"
        )
    return address


def logo_address(path: Path) -> str:
    """A picture (PNG, JPEG, WebP or SVG) as a data address, which needs no further file.

    A browser runs no script of an SVG that is shown as a picture. Raises BenchError for another kind of file.
    """
    content = _read(path, limits.LOGO_BYTES)
    kind = next((kind for start, kind in _FORMATS.items() if content.startswith(start)), "")
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "webp"
    if b"<svg" in content[:2000]:
        kind = "svg+xml"
    if not kind:
        raise BenchError(f"{path} is not a PNG, JPEG, WebP or SVG: convert it.")
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def introduction(path: Path) -> str:
    """The text of a file. Empty lines separate paragraphs."""
    text = decode_text(_read(path, 4 * limits.INTRODUCTION_CHARACTERS), path).strip()
    if len(text) > limits.INTRODUCTION_CHARACTERS:
        raise BenchError(f"{path} has more than {limits.INTRODUCTION_CHARACTERS:,} characters: shorten it.")
    return text


def _read(path: Path, limit: int) -> bytes:
    try:
        return read_bytes(path, limit, advice="shorten it")
    except FileNotFoundError:
        raise BenchError(f"There is no file {path}: correct its path.") from None
