"""A file with the outputs of a system -> one text for each segment of a set.

The layout is recognised by the content, not by the file's name:

- plain lines, one per segment, in the order of the set (the layout of WMT);
- tab-separated columns, with or without a header;
- JSON Lines, or a JSON list, of objects or of texts;
- WMT's XML (2021 and later) and its older SGML, with one system in it;
- any of these, compressed by gzip.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from lxml import etree

from bench import limits, progress
from bench.errors import BenchError
from bench.files import check_lines, check_values, decode_text, read_bytes, unpacked
from bench.languages import Language
from bench.references.wmt_jsonl import paragraphs

_ID_KEYS = ("id", "seg_id", "segid", "segment_id", "segment")
_DOCUMENT_KEYS = ("doc_id", "docid", "document", "doc")
_TEXT_KEYS = ("text", "hypothesis", "translation", "mt", "hyp", "output")
"""Names of columns and keys, in order of preference; those of WMT, COMET and common tools."""
_ADVICE = "give a text file with one output per segment"


@dataclass(frozen=True, slots=True)
class _Row:
    """One output, and where it is in the file."""

    text: str
    place: str
    id: str | None = None
    document: str = ""


def read_outputs(path: Path, ids: Sequence[str], set_id: str, language: Language) -> dict[str, str]:
    """Segment id -> text. `ids`: of the set, in its order. `language`: of the texts.

    Raises BenchError, with the line, unless the file has exactly one text for each segment.
    """
    rows = list(_rows(path, language))
    if all(row.id is None for row in rows):
        if len(rows) > len(ids) and not any(row.text.strip() for row in rows[len(ids) :]):
            raise BenchError(f"{rows[len(ids)].place} is empty, after the last segment: remove it.")
        if len(rows) != len(ids):
            raise BenchError(
                f"{path} has {len(rows)} lines, but {set_id} has {len(ids)} segments: "
                "write one line per segment, in the order of `bench references export`, or .jsonl with ids."
            )
        return dict(zip(ids, (row.text for row in rows), strict=True))
    return _by_id(rows, ids, path, set_id)


def has_ids(path: Path, language: Language) -> bool:
    """Whether the file names its segments, instead of only listing or numbering them."""
    return any(row.id and not row.id.isdigit() for row in _rows(path, language))


def read_texts(path: Path, language: Language) -> list[str]:
    """The texts in the order of the file, whatever their ids. Raises BenchError."""
    return [row.text for row in _rows(path, language)]


def file_bytes(path: Path) -> bytes:
    """The file's content as it is on disk. Raises BenchError if there is none."""
    try:
        return read_bytes(path, limits.DOCUMENT_BYTES, advice=_ADVICE)
    except FileNotFoundError:
        raise BenchError(f"There is no file {path}: {_ADVICE}.") from None


def _by_id(rows: Sequence[_Row], ids: Sequence[str], path: Path, set_id: str) -> dict[str, str]:
    for row in rows:
        if row.id is None:
            raise BenchError(f"{row.place}: there is no id, but other rows have one: add it.")
    known = set(ids)
    names = [row.id or "" for row in rows]
    if not known.intersection(names):
        for separator in (":", "/", "-", ".", "_", "#", ""):
            joined = [f"{row.document}{separator}{row.id}" for row in rows]
            if row.document and known.issuperset(joined):
                names = joined
                break
        else:
            if len(rows) == len(ids) and _are_positions(rows):
                progress.say(f"{path} numbers its rows; row n is segment n of {set_id}.")
                names = list(ids)
    if not known.issuperset(names):
        rows, names = _by_paragraph(rows, names, known)
    texts: dict[str, str] = {}
    for name, row in zip(names, rows, strict=True):
        if name in texts:
            raise BenchError(
                f"{row.place}: the id {name[:80]} appears twice: give each segment once, or name the columns in a "
                "first line, as in id and text."
            )
        texts[name] = row.text
    missing = [id for id in ids if id not in texts]
    unknown = sorted(texts.keys() - known)
    if not missing and unknown == [names[0]]:
        raise BenchError(
            f"{rows[0].place} looks like the names of columns: name them {_ID_KEYS[0]} and {_TEXT_KEYS[0]}."
        )
    if missing or unknown:
        problem = (
            f"lacks {len(missing)} segments (first: {missing[0]})"
            if missing
            else f"has ids that are not in the set (first: {unknown[0]})"
        )
        raise BenchError(f"{path} {problem} of {set_id}: list every segment of the set once, by its id.")
    return texts


def _by_paragraph(
    rows: Sequence[_Row], names: Sequence[str], known: Collection[str]
) -> tuple[list[_Row], list[str]]:
    """Documents of WMT's JSON Lines, split where the set has their paragraphs: DOC_ID:1, DOC_ID:2 …

    A document that has another number of paragraphs stays whole: its segments are then missing, and its id is not one.
    """
    split: list[_Row] = []
    new_names: list[str] = []
    for row, name in zip(rows, names, strict=True):
        parts = paragraphs(row.text)
        ids = [f"{name}:{number}" for number in range(1, len(parts) + 1)]
        if name in known or not ids or not _are_all(ids, name, known):
            ids, parts = [name], [row.text]
        split += [replace(row, text=part) for part in parts]
        new_names += ids
    return split, new_names


def _are_all(ids: Sequence[str], name: str, known: Collection[str]) -> bool:
    """Whether a document of the set has exactly these paragraphs."""
    return all(id in known for id in ids) and f"{name}:{len(ids) + 1}" not in known


def _are_positions(rows: Sequence[_Row]) -> bool:
    """Whether the ids count the rows, from 0 or 1, in the file or in each of its documents."""
    last: dict[str, int] = {}
    for row in rows:
        if not re.fullmatch(r"\d{1,9}", row.id or ""):
            return False
        number = int(row.id or "")
        previous = last.get(row.document)
        if number not in ((0, 1) if previous is None else (previous + 1,)):
            return False
        last[row.document] = number
    return True


# Layouts


def _rows(path: Path, language: Language) -> Iterator[_Row]:
    data = file_bytes(path)
    data = unpacked(data, path, limits.DOCUMENT_BYTES, advice=_ADVICE)
    check_lines(data, path, limits.SEGMENTS + 1, advice=_ADVICE)  # a table has a header
    if max(data.count(b"<"), data.count(b"\t")) > limits.FILE_VALUES:
        raise BenchError(
            f"{path} has more than {limits.FILE_VALUES:,} cells or tags, the limit here: {_ADVICE}."
        )
    text = decode_text(data, path, encoding="utf-8-sig", advice="save it as UTF-8").removesuffix("\n")
    keys = (*_TEXT_KEYS, language)
    start = text.lstrip()[:1]
    # Not splitlines(): a hypothesis may contain U+2028 and similar characters.
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if start == "<" and re.match(
        r"\s*<(\?xml|!doctype|dataset|tstset|refset|hyp|doc)\b", text, re.IGNORECASE
    ):
        return _xml_rows(data, path)
    if start in ("[", "{"):
        check_values(data, path, advice=_ADVICE)
    if start == "[" and (values := _decoded(text)) is not None:
        if len(values) > limits.SEGMENTS:
            raise BenchError(
                f"{path} has more than {limits.SEGMENTS:,} items, the limit of a set: {_ADVICE}."
            )
        return _json_rows(values, [f"{path}, item {n}" for n in range(1, len(values) + 1)], keys)
    if start == "[" and (_JSON_NAME.search(path.name) or _half_character(text)):
        raise BenchError(
            f"{path}: expected a JSON list of objects or texts ({_json_fault(text)}): correct it."
        )
    if start == "{" and (path.suffix in (".json", ".jsonl") or _decoded(f"[{lines[0]}]")):
        return _json_rows(
            _json_lines(lines, path), [f"{path}, line {n}" for n in range(1, len(lines) + 1)], keys
        )
    if path.suffix == ".tsv" or _is_table(lines, keys):
        return _table_rows(lines, path, keys)
    return (_Row(line, f"{path}, line {n}") for n, line in enumerate(lines, 1))


def _decoded(text: str) -> list[Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None  # a line may begin with a bracket
    return value if isinstance(value, list) and all(isinstance(item, (str, dict)) for item in value) else None


def _json_lines(lines: Sequence[str], path: Path) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            raise BenchError(
                f'{path}, line {number}: expected a JSON object {{"id": "…", "text": "…"}} ({_json_fault(line)}): '
                "correct the line."
            ) from None


_JSON_NAME = re.compile(r"\.jsonl?(\.gz)?$", re.IGNORECASE)
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = re.compile(rf"(?<!\\)(?:\\\\)*(?:(?P<high>{_HIGH})(?!{_LOW})|{_HIGH}{_LOW}|(?P<low>{_LOW}))")


def _half_character(text: str) -> str:
    """The first escape of a surrogate without its other half, which is no character; "" if there is none."""
    return next((half for match in _HALF.finditer(text) if (half := match["high"] or match["low"])), "")


def _json_fault(text: str) -> str:
    """Why a text is no JSON."""
    if half := _half_character(text):
        return f"{half} is half of a character, a surrogate without the other half"
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return str(error)
    return "it has other values"


def _json_rows(values: Any, places: Sequence[str], keys: Sequence[str]) -> Iterator[_Row]:
    for value, place in zip(values, places, strict=True):
        if isinstance(value, str):
            yield _Row(value, place)
        elif isinstance(value, dict):
            yield _row({str(key): cell for key, cell in value.items()}, place, keys)
        else:
            raise BenchError(f"{place}: expected a JSON object with id and text, or a text: correct it.")


def _row(cells: Mapping[str, Any], place: str, keys: Sequence[str]) -> _Row:
    """A row with named cells."""
    text = next((cells[key] for key in keys if key in cells), None)
    if not isinstance(text, str):
        raise BenchError(f"{place}: there is no text under {', '.join(keys)}: name the output {keys[0]}.")
    id, document = (_name(cells, names) for names in (_ID_KEYS, _DOCUMENT_KEYS))
    if id is None:  # a document may be one segment
        id, document = document, None
    return _Row(text, place, id, document or "")


def _name(cells: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    value = next((cells[key] for key in keys if key in cells), None)
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _header(line: str, keys: Sequence[str]) -> list[str]:
    """The columns that a table's first line names; none if it is not a header."""
    heads = [head.strip().lower().replace(" ", "_") for head in line.split("\t")]
    has_id = not {*_ID_KEYS, *_DOCUMENT_KEYS}.isdisjoint(heads)
    return heads if has_id and not set(keys).isdisjoint(heads) else []


def _is_table(lines: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether the first line is a header, or each line is one word, one tab and a text."""
    if _header(lines[0], keys):
        return True
    return all(re.fullmatch(r"\S+\t[^\t]*", line) for line in lines)


def _table_rows(lines: Sequence[str], path: Path, keys: Sequence[str]) -> Iterator[_Row]:
    """Without a header: an id, a tab and the text."""
    heads = _header(lines[0], keys)
    has_header = bool(heads)
    heads = heads or ["id", "text"]
    body = [line.split("\t") for line in (lines[1:] if has_header else lines)]
    # `bench references export` quotes as CSV does; most other tools do not quote.
    quoted = has_header and all(_QUOTED.fullmatch(cell) for row in body for cell in row if '"' in cell)
    for number, cells in enumerate(body, 1 + has_header):
        place = f"{path}, line {number}"
        if len(cells) != len(heads):
            expected = f"the {len(heads)} columns of the header"
            if not has_header:
                expected = "an id, one tab and the text, or first a line with the columns id and text,"
            raise BenchError(f"{place}: expected {expected}, but found {len(cells)} columns.")
        if quoted:
            cells = [cell[1:-1].replace('""', '"') if cell.startswith('"') else cell for cell in cells]
        yield _row(dict(zip(heads, cells, strict=True)), place, keys)


_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def _xml_rows(data: bytes, path: Path) -> Iterator[_Row]:
    """WMT's XML: <doc id> with <hyp system> and <seg id>; its SGML: <tstset> with <doc docid> and <seg id>."""
    parser: Any
    if re.match(rb"(?:\xef\xbb\xbf)?\s*<(tstset|refset|!doctype)", data, re.IGNORECASE):
        parser = etree.HTMLParser(encoding="utf-8", no_network=True)  # SGML: tags in any case
    else:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    if b"<!ENTITY" in data:
        raise BenchError(f"{path} declares entities, which are not read: {_ADVICE}.")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BenchError(f"{path} is not valid XML ({error}): {_ADVICE}.") from None
    hypotheses = root.findall(".//hyp") if root is not None else []
    systems = sorted({hypothesis.get("system") or "" for hypothesis in hypotheses})
    if len(systems) > 1:
        raise BenchError(
            f"{path} has the outputs of {len(systems)} systems ({', '.join(systems[:5])}): give one file per system."
        )
    segments = (
        [segment for hypothesis in hypotheses for segment in hypothesis.findall(".//seg")]
        if hypotheses
        else root.findall(".//seg")
        if root is not None
        else []
    )
    if not segments:
        raise BenchError(f"{path} has no <seg> of a system's output: {_ADVICE}.")
    for number, segment in enumerate(segments, 1):
        document = next(segment.iterancestors("doc"), None)
        name = document.get("id") or document.get("docid") or "" if document is not None else ""
        text = " ".join("".join(segment.itertext()).split())
        yield _Row(text, f"{path}, segment {number}", segment.get("id"), name)
