"""The site of a reference set as one HTML file, to be sent by mail."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence

from bench.boards.rows import Board
from bench.boards.site import site_files
from bench.errors import BenchError
from bench.records import SiteHead

_ELEMENT = re.compile(r'<link rel="stylesheet" href="([^"]+)">\n|<script src="([^"]+)"[^>]*></script>\n')


def single_page(boards: Sequence[Board], head: SiteHead) -> str:
    """index.html with the style sheet, all scripts and all data in it. Its policy admits exactly these scripts.

    Raises BenchError as `write_site` does.
    """
    files: Mapping[str, str] = dict(site_files(boards, head))
    page = files["index.html"]
    names = [(style, script) for style, script in _ELEMENT.findall(page)]
    styles = "".join(files[style] for style, _ in names if style)
    scripts = [files[script] for _, script in names if script]
    data = [text for name, text in files.items() if name.startswith("data/")]
    code = "\n".join([*scripts[:-1], *data, scripts[-1]])  # the last one draws the page
    if "</script" in code or "</style" in styles:
        raise BenchError("The site cannot be one file: a script of it would end it. Please report this.")
    page = _ELEMENT.sub("", page)
    page = page.replace("script-src 'self'", f"script-src '{content_hash(code)}'")
    page = page.replace("style-src 'self'", f"style-src '{content_hash(styles)}'")
    page = page.replace("</head>", f"<style>{styles}</style>\n</head>")
    return page.replace("</body>", f"<script>{code}</script>\n</body>")


def content_hash(text: str) -> str:
    """Of an element's content, as a Content Security Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode(errors='replace')).digest()).decode()}"
