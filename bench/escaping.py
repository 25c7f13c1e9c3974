"""Text from anybody, written so that it stays text: on a terminal, in Markdown, LaTeX and tables of spreadsheets.

Names, cards, titles, paths and messages come from yaml files, documents, servers and other people's results.
HTML is escaped by jinja and markupsafe, scripts by bench.boards.site.data.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

_PLANE_ENDS = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0xF0000, 0x10000))
_EMOJI = "\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff"
_JOINING = "\u0600-\u18af"
"""Arabic to Mongolian: scripts that are written with joiners and selectors between letters."""
_INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0"  # hidden
    "\u2028-\u202e"  # ends of lines; direction. Isolates are in the line above.
    "\ud800-\udfff"  # halves of surrogate pairs
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use
    "\ufdd0-\ufdef\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags: hidden text
    f"{_PLANE_ENDS}]"  # noncharacters
    # joiners, except in an emoji or such a script
    f"|(?<![\ufe0f{_EMOJI}{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_EMOJI}{_JOINING}])"
    # selectors of a variant that follow nothing that has variants
    "|(?<![0-9#*\xa9\xae\u0100-\u200b\u2010-\ud7ff\uf900-\ufdff\ufe30-\U0001fbff\U00020000-\U000323af])"
    "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


def terminal(text: str, newline: str = "⏎") -> str:
    """One line without characters that steer a terminal, change the direction of text or hide: they are shown
    by their number, <202E>. `newline` is shown for a line break."""
    return _INVISIBLE.sub(
        lambda match: newline if match[0] == "\n" else "".join(f"<{ord(c):04X}>" for c in match[0]), text
    )


def plain(text: str, style: str = "") -> Text:
    """`terminal` for rich, which reads [bold] and [link=…] in a str as markup."""
    from rich.text import Text

    return Text(terminal(text), style=style)


# Markdown

_MARKDOWN = re.compile(
    r"[\\`*_\[\]<>|&~$#]"
    r"|^[-+](?=[\s-]|$)"  # would begin a list or a rule
    r"|:(?=//)|(?<=\bwww)\."  # GitHub makes links of bare addresses
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_CODE = re.compile(r"[^`<>]*")


def markdown(text: str) -> str:
    """One line of GitHub's Markdown that shows `text`, also in a cell of a table or at the start of an item."""
    line = terminal(text, newline=" ").strip()
    return _NUMBERED.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\g<0>", line))


def markdown_code(text: str) -> str:
    """`text` as code. A code span knows no escapes: a text that would need one becomes plain text."""
    line = terminal(text, newline=" ")
    return f"`{line}`" if _CODE.fullmatch(line) and line.strip() else markdown(text)


# LaTeX

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "†": r"$\dagger$",
    "α": r"$\alpha$",
}


def latex(text: str) -> str:
    """One line of LaTeX that shows `text`, also at the start of a row, where [ and * would belong to the \\\\
    before it."""
    line = "".join(_LATEX.get(character, character) for character in terminal(text, newline=" "))
    return f"{{{line[0]}}}{line[1:]}" if line.startswith(("[", "*")) else line


# CSV

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")


def csv_cell(text: str) -> str:
    """A cell that a spreadsheet shows as text: one that would be a formula begins with an apostrophe. For
    texts: a number is written as it is."""
    line = terminal(text, newline=" ")
    return f"'{line}" if _FORMULA.match(line) else line
