"""Reference sets that were aligned elsewhere: parallel files in the layout of WMT, a test set of sacrebleu, or WMT's
JSON Lines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bench import limits, progress
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.files import check_lines, decode_text, read_bytes
from bench.languages import DIRECTIONS, LANGUAGE_NAMES, MIN_SCRIPT_SHARE, Language, script_share, sides
from bench.names import RULE, is_name
from bench.references import wmt_jsonl
from bench.references.parallel import parallel_segment

SACREBLEU = "sacrebleu:"


def load(name: str, known_names: Collection[str] = ()) -> ReferenceSet | None:
    """The set with that name, or None if `name` is none of the three kinds.

    `PREFIX` (or `PREFIX.zh`, `PREFIX.en`): parallel files. Line n of PREFIX.zh and PREFIX.en is one segment.
    Its id is line n of PREFIX.ids if that file exists, else s0001, s0002 … `sacrebleu:SET/PAIR`: wmt22/zh-en,
    wmt17/improved/en-zh … `FILE.jsonl`: WMT's JSON Lines (wmt_jsonl.py).

    `known_names`: ids of sets that were built, which parallel files do not get.

    Raises BenchError, with file and line, at the first fault.
    """
    if name.startswith(SACREBLEU):
        return _sacrebleu(name.removeprefix(SACREBLEU))
    with suppress(OSError):  # the name is too long for a file
        if name.endswith(wmt_jsonl.SUFFIXES) and Path(name).is_file():
            return wmt_jsonl.load(Path(name))
    return _parallel_files(name, known_names)


def _parallel_files(name: str, known_names: Collection[str]) -> ReferenceSet | None:
    # A prefix may itself end in .zh: news.zh.zh and news.zh.en. So try the name as given first.
    prefixes = (name, re.sub(r"\.(zh|en)$", "", name))
    try:
        existing = {prefix: [path for path in _paths(prefix) if path.is_file()] for prefix in prefixes}
    except OSError:  # the name is too long for a file
        return None
    prefix = max(existing, key=lambda prefix: len(existing[prefix]))
    if not existing[prefix]:
        return None
    zh, en = _paths(prefix)
    if missing := [path for path in (zh, en) if path not in existing[prefix]]:
        raise BenchError(
            f"{existing[prefix][0]} exists but {missing[0]} does not: "
            "add the other language there, line by line."
        )
    id, ids = zh.stem, zh.with_suffix(".ids")
    if not is_name(id):
        raise BenchError(f"A set cannot be named {id[:80]!r}: rename its files, and {RULE}.")
    if id in known_names:  # a set that was built and then exported would share its folder in a store
        id = f"{id}.parallel"
    return ReferenceSet(
        id=id,
        title=zh.stem,
        original_language="unknown",
        published="",
        licence="unknown",
        segments=_segments({"zh": zh, "en": en}, ids=ids if ids.is_file() else None),
        outside=True,
        origin=prefix,
    )


def _paths(prefix: str) -> tuple[Path, Path]:
    """The Chinese and the English file."""
    path = Path(prefix)
    with suppress(RuntimeError):  # "~user" of a user who does not exist
        path = path.expanduser()
    return Path(f"{path}.zh"), Path(f"{path}.en")


@cache  # a run loads its set several times, and some of sacrebleu's files take seconds to read
def _sacrebleu(name: str) -> ReferenceSet:
    from sacrebleu.dataset import DATASETS
    from sacrebleu.utils import SACREBLEU_DIR

    test, _, pair = name.rpartition("/")
    known = [f"{t}/{p}" for t, dataset in DATASETS.items() for p in DIRECTIONS if p in dataset.langpairs]
    if name not in known:
        similar = [other for other in known if other.startswith(f"{name.split('/')[0]}/")]
        raise BenchError(
            f"sacrebleu has no {name!r} for Chinese and English: use one of {', '.join(similar or known)}."
        )
    dataset: Any = DATASETS[test]
    folder = Path(SACREBLEU_DIR, test)
    if not (folder / "raw").is_dir():
        progress.say(f"sacrebleu downloads {test} to {folder}")
    try:
        fields = dict(zip(dataset.fieldnames(pair), map(Path, dataset.get_files(pair)), strict=True))
        default = {Path(path) for path in dataset.get_reference_files(pair)}
    except (Exception, SystemExit) as error:  # any exception, or an exit if the download is damaged
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BenchError(
            f"sacrebleu cannot get {test} ({reason}): run `sacrebleu -t {test} -l {pair} --echo src` on a "
            f"machine with a network, and copy the folder {test} of its cache (~/.sacrebleu) to {folder}."
        ) from None
    references = sorted(field for field in fields if field == "ref" or field.startswith("ref:"))
    reference = next((field for field in references if fields[field] in default), references[0])
    source, target = sides(pair)
    year = re.match(r"(?:wmt|iwslt)(\d\d)", test)
    return ReferenceSet(
        id=f"{test}.{pair}".replace("/", "."),
        title=f"{test} {pair} of sacrebleu" + (f", reference {reference[4:]}" if reference != "ref" else ""),
        original_language=_original(fields.get("origlang")),
        published=f"20{year.group(1)}" if year else "",
        licence=f"see `sacrebleu -t {test} --cite`",
        segments=_segments({source: fields["src"], target: fields[reference]}, documents=fields.get("docid")),
        outside=True,
        origin=f"{SACREBLEU}{name}",
    )


def _original(path: Path | None) -> Literal["zh", "en", "mixed", "unknown"]:
    """The original language by sacrebleu's field `origlang`. WMT17 and WMT18 are mixed; IWSLT does not have
    the field."""
    languages = {*_lines(path)} if path else {""}
    if len(languages) > 1:
        return "mixed"
    return "zh" if languages == {"zh"} else "en" if languages == {"en"} else "unknown"


def _segments(
    paths: Mapping[Language, Path], ids: Path | None = None, documents: Path | None = None
) -> tuple[Segment, ...]:
    """Line n of each file gives segment n. `ids` and `documents` have one id, or the name of the document,
    per line."""
    texts = {language: _lines(path) for language, path in paths.items()}
    for language, lines in texts.items():
        if "" in lines:
            raise BenchError(
                f"{paths[language]}:{lines.index('') + 1}: the line is empty; remove it from both files."
            )
        if script_share(" ".join(lines), language) < MIN_SCRIPT_SHARE:
            raise BenchError(
                f"{paths[language]} is mostly not {LANGUAGE_NAMES[language]}: "
                "put Chinese into .zh and English into .en."
            )
    count = len(texts["zh"])
    names = _lines(ids) if ids else [f"s{n:04}" for n in range(1, count + 1)]
    sections = _lines(documents) if documents else ["1"] * count
    for path, lines in ((paths["en"], texts["en"]), (ids, names), (documents, sections)):
        if len(lines) != count:
            raise BenchError(
                f"{paths['zh']} has {count} lines and {path} has {len(lines)}: "
                "make line n of each the same segment."
            )
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name or "\t" in name or name in seen:
            raise BenchError(
                f"{ids}:{number}: {name!r} is not a new id; write one unique id per line, without tabs."
            )
        seen.add(name)
    rows = zip(names, texts["zh"], texts["en"], sections, strict=True)
    return tuple(
        parallel_segment(id, zh, en, section or "1", line)
        for line, (id, zh, en, section) in enumerate(rows, 1)
    )


def _lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, without byte order mark, carriage returns and surrounding white space."""
    data = read_bytes(path, limits.DOCUMENT_BYTES, advice="give text files that can be read")
    text = decode_text(data, path, encoding="utf-8-sig", advice="save the file as UTF-8")
    check_lines(text, path, limits.SEGMENTS, advice=f"split it into sets of {limits.SEGMENTS:,} segments")
    # Not splitlines: a segment may contain U+2028 and other separators.
    return [line.strip() for line in text.removesuffix("\n").split("\n")]
