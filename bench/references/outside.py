"""Reference sets that were aligned elsewhere: a pair of files in the layout of WMT, or a test set that sacrebleu knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Literal

from bench import progress
from bench.core import ReferenceSet, Segment
from bench.errors import BenchError
from bench.languages import DIRECTIONS, LANGUAGE_NAMES, MIN_SCRIPT_SHARE, Language, script_share, sides

SACREBLEU = "sacrebleu:"


def load(name: str) -> ReferenceSet | None:
    """The set of that name; None where the name is of no such kind.

    `PREFIX` (or `PREFIX.zh`, `PREFIX.en`): line n of the files PREFIX.zh and PREFIX.en is a segment; its id is line n of
    PREFIX.ids where there is one, else s0001, s0002 … `sacrebleu:SET/PAIR`: wmt22/zh-en, wmt17/improved/en-zh …
    Raises BenchError, with file and line, for the first thing that is wrong.
    """
    return _sacrebleu(name.removeprefix(SACREBLEU)) if name.startswith(SACREBLEU) else _files(name)


def _files(name: str) -> ReferenceSet | None:
    prefix = Path(re.sub(r"\.(zh|en)$", "", name))
    with suppress(RuntimeError):  # no home of that user
        prefix = prefix.expanduser()
    zh, en, ids = (Path(f"{prefix}.{suffix}") for suffix in ("zh", "en", "ids"))
    try:
        if not (zh.is_file() or en.is_file()):
            return None
    except OSError:  # a name too long for a file
        return None
    for there, gone in ((zh, en), (en, zh)):
        if not gone.is_file():
            raise BenchError(
                f"There is {there} but no {gone}: put the other language beside it, line by line."
            )
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+@=-]*", prefix.name):
        raise BenchError(
            f"A set cannot be named {prefix.name!r}: rename its files with letters, digits and ._+@=- only."
        )
    return ReferenceSet(
        id=prefix.name,
        title=prefix.name,
        original_language="unknown",
        published="",
        licence="unknown",
        segments=_segments({"zh": zh, "en": en}, ids=ids if ids.is_file() else None),
        outside=True,
    )


@cache  # a run asks for its set many times, and some of sacrebleu's files take seconds to read
def _sacrebleu(name: str) -> ReferenceSet:
    from sacrebleu.dataset import DATASETS
    from sacrebleu.utils import SACREBLEU_DIR

    test, _, pair = name.rpartition("/")
    known = [f"{t}/{p}" for t, dataset in DATASETS.items() for p in DIRECTIONS if p in dataset.langpairs]
    if name not in known:
        near = [k for k in known if k.startswith(f"{name.split('/')[0]}/")]
        raise BenchError(
            f"sacrebleu has no {name!r} for Chinese and English: use one of {', '.join(near or known)}."
        )
    dataset, folder = DATASETS[test], Path(SACREBLEU_DIR, test)
    if not (folder / "raw").is_dir():
        progress.say(f"sacrebleu fetches {test} into {folder}")
    try:
        fields = dict(zip(dataset.fieldnames(pair), map(Path, dataset.get_files(pair)), strict=True))
        default = {Path(path) for path in dataset.get_reference_files(pair)}
    except (Exception, SystemExit) as error:  # it raises what it likes, and exits where a download is damaged
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BenchError(
            f"sacrebleu cannot get {test} ({reason}): run `sacrebleu -t {test} -l {pair} --echo src` where there is a "
            f"network, and copy the folder {test} of its cache (~/.sacrebleu) to {folder}."
        ) from None
    references = sorted(field for field in fields if field == "ref" or field.startswith("ref:"))
    chosen = next((field for field in references if fields[field] in default), references[0])
    source, target = sides(pair)
    year = re.match(r"(?:wmt|iwslt)(\d\d)", test)
    return ReferenceSet(
        id=f"{test}.{pair}".replace("/", "."),
        title=f"{test} {pair} of sacrebleu" + (f", reference {chosen[4:]}" if chosen != "ref" else ""),
        original_language=_original(fields.get("origlang")),
        published=f"20{year.group(1)}" if year else "",
        licence=f"see `sacrebleu -t {test} --cite`",
        segments=_segments({source: fields["src"], target: fields[chosen]}, documents=fields.get("docid")),
        outside=True,
    )


def _original(path: Path | None) -> Literal["zh", "en", "mixed", "unknown"]:
    """WMT's sets of 2017 and 2018 hold texts of both origins; IWSLT's do not say."""
    found = {*_lines(path)} if path else {""}
    if len(found) > 1:
        return "mixed"
    return "zh" if found == {"zh"} else "en" if found == {"en"} else "unknown"


def _segments(
    paths: Mapping[Language, Path], ids: Path | None = None, documents: Path | None = None
) -> tuple[Segment, ...]:
    texts = {language: _lines(path) for language, path in paths.items()}
    for language, lines in texts.items():
        if "" in lines:
            raise BenchError(
                f"{paths[language]}:{lines.index('') + 1}: the line is empty; give PREFIX.zh and PREFIX.en without this segment."
            )
        if script_share(" ".join(lines), language) < MIN_SCRIPT_SHARE:
            raise BenchError(
                f"{paths[language]} is mostly not {LANGUAGE_NAMES[language]}: put Chinese into .zh and English into .en."
            )
    count = len(texts["zh"])
    names = _lines(ids) if ids else [f"s{n:04}" for n in range(1, count + 1)]
    sections = _lines(documents) if documents else ["1"] * count
    for path, lines in ((paths["en"], texts["en"]), (ids, names), (documents, sections)):
        if len(lines) != count:
            raise BenchError(
                f"{paths['zh']} has {count} lines and {path} has {len(lines)}: make line n of each the same segment."
            )
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name or "\t" in name or name in seen:
            raise BenchError(
                f"{ids}:{number}: write one id a line, each once and without tabs, not {name!r}."
            )
        seen.add(name)
    return tuple(
        Segment(
            id=names[i],
            kind="sentence",
            section=sections[i] or "1",
            paragraph=1,
            zh=zh,
            en=en,
            alignment="1-1",
            zh_number="",
            en_number="",
            zh_raw=zh,
            en_raw=en,
            zh_lines=(i + 1,),
            en_lines=(i + 1,),
            zh_sentences=(f"L{i + 1}s1",),
            en_sentences=(f"L{i + 1}s1",),
            confidence=1.0,
            aligned_by="source",
        )
        for i, (zh, en) in enumerate(zip(texts["zh"], texts["en"], strict=True))
    )


def _lines(path: Path) -> list[str]:
    """A byte order mark, carriage returns and white space around a line are passed over."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise BenchError(f"Cannot read {path} ({error.strerror}): make it readable.") from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BenchError(f"{path}:{line}: not UTF-8; save the file as UTF-8.") from None
    # Not splitlines: U+2028 and its like may stand inside a segment.
    return [line.strip() for line in text.removesuffix("\n").split("\n")]
