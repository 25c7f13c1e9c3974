"""Parallel files, and test sets of sacrebleu from a cache in sacrebleu's layout."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import references
from bench.errors import BenchError
from tests.helpers import command
from tests.helpers.outside import PAIRS, WMT22, write_parallel_files


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return write_parallel_files(tmp_path / "news.v1")


def test_a_pair_of_files(prefix: Path) -> None:
    loaded = references.load(prefix)
    assert (loaded.id, loaded.original_language, loaded.published) == ("news.v1", "unknown", "")
    assert [(s.zh, s.en) for s in loaded.segments] == PAIRS
    segment = loaded.segments[1]
    assert (segment.id, segment.zh_lines, segment.en_sentences) == ("s0002", (2,), ("L2s1",))
    assert (segment.alignment, segment.aligned_by, segment.confidence) == ("1-1", "source", 1.0)
    for suffix in ("zh", "en"):
        assert references.load(f"{prefix}.{suffix}") == loaded


@pytest.mark.parametrize("granularity", ["sentence", "document"])
@pytest.mark.parametrize("name", ["news.v1", "news.zh", "wmt22.zh-en", "talks.document"])
@pytest.mark.parametrize("suffix", ["", ".zh", ".en"])
def test_parallel_files_are_loaded_again_by_their_prefix(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str, granularity: str
) -> None:
    monkeypatch.chdir(prefix.parent)
    for side in ("zh", "en"):
        Path(f"{prefix}.{side}").rename(f"{name}.{side}")
    loaded = references.load(f"{name}{suffix}", granularity)
    assert (loaded.origin, loaded.granularity) == (name, granularity)
    assert references.load(loaded.origin, loaded.granularity) == loaded


def test_an_exported_set_is_the_same_set(tmp_path: Path) -> None:
    """What runs depend on is the same, so that runs of one are runs of the other."""
    shipped = references.load("china-export-controls-2021")
    for suffix, lines in (
        ("zh", [s.zh for s in shipped.segments]),
        ("en", [s.en for s in shipped.segments]),
        ("ids", [s.id for s in shipped.segments]),
    ):
        (tmp_path / f"again.{suffix}").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    assert references.load(tmp_path / "again").sha256 == shipped.sha256


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(prefix: Path) -> None:
    loaded = references.load(prefix)
    for path in (Path(f"{prefix}.zh"), Path(f"{prefix}.en")):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert references.load(prefix) == loaded


def swap(prefix: Path) -> None:
    zh, en = (Path(f"{prefix}.{side}").read_bytes() for side in ("zh", "en"))
    Path(f"{prefix}.zh").write_bytes(en)
    Path(f"{prefix}.en").write_bytes(zh)


def write(suffix: str, content: bytes) -> Callable[[Path], object]:
    return lambda prefix: Path(f"{prefix}.{suffix}").write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: Path(f"{p}.en").unlink(), r"news\.v1\.zh exists but .*news\.v1\.en does not"),
        (write("en", b"one\ntwo\nthree\n"), r"has 4 lines and .*news\.v1\.en has 3"),
        (write("en", b"one\n \nthree\nfour\n"), r"news\.v1\.en:2: the line is empty"),
        (write("zh", "中国\n".encode("gb18030") * 4), r"news\.v1\.zh:1: not UTF-8"),
        (write("zh", b""), r"news\.v1\.zh:1: the line is empty"),
        (swap, r"news\.v1\.zh is mostly not Chinese"),
        (write("ids", b"a\nb\n"), r"has 4 lines and .*news\.v1\.ids has 2"),
        (write("ids", b"a\nb\na\nd\n"), r"news\.v1\.ids:3: 'a' is not a new id"),
        (write("ids", b"a\n\nc\nd\n"), r"news\.v1\.ids:2: '' is not a new id"),
    ],
)
def test_bad_files_are_one_sentence(prefix: Path, change: Callable[[Path], object], message: str) -> None:
    change(prefix)
    with pytest.raises(BenchError, match=message):
        references.load(prefix)


def test_a_name_that_is_no_folder(prefix: Path) -> None:
    for suffix in ("zh", "en"):
        Path(f"{prefix}.{suffix}").rename(prefix.with_name(f"my news.{suffix}"))
    with pytest.raises(BenchError, match="cannot be named 'my news'"):
        references.load(prefix.with_name("my news"))


# --- sacrebleu's own sets -----------------------------------------------------------------------------------


def sgm(*documents: tuple[str, str, list[str]]) -> str:
    parts = ['<srcset setid="newstest2017" srclang="any">']
    for id, language, lines in documents:
        parts.append(f'<doc sysid="src" docid="{id}" genre="news" origlang="{language}">\n<p>')
        parts += [f'<seg id="{n}">{line}</seg>' for n, line in enumerate(lines, 1)]
        parts.append("</p>\n</doc>")
    return "\n".join([*parts, "</srcset>", ""])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Downloaded and unpacked, not yet read: SACREBLEU/SET/raw/SET.ARCHIVE and what was in the archive."""
    files = {
        "wmt22/raw/wmt22.v1.1.tar.gz": "an archive is not looked into where it is there already",
        "wmt22/raw/wmt22-news-systems-1.1/xml/wmttest2022.zh-en.all.xml": WMT22,
        "wmt17/raw/wmt17.test.tgz": "so is this one",
        "wmt17/raw/test/newstest2017-enzh-src.en.sgm": sgm(
            ("a", "en", ["Peace."]), ("b", "zh", ["China acts."])
        ),
        "wmt17/raw/test/newstest2017-enzh-ref.zh.sgm": sgm(
            ("a", "en", ["和平。"]), ("b", "zh", ["中国行动。"])
        ),
    }
    for name, text in files.items():
        path = tmp_path / "sacrebleu" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "sacrebleu"


def python(cache: Path, code: str) -> str:
    """In a process of its own: sacrebleu reads the place of its cache when it is imported."""
    environment = {**os.environ, "SACREBLEU": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown(cache: Path, name: str, granularity: str = "sentence") -> str:
    return python(
        cache,
        f"from bench import references; r = references.load({name!r}, {granularity!r})\n"
        "print(r.id, r.title, r.original_language, r.published, sep=' · ')\n"
        "for s in r.segments: print(s.id, s.section, s.zh, s.en, sep=' · ')",
    )


def test_a_set_of_sacrebleu_with_its_default_reference_and_its_documents(cache: Path) -> None:
    assert shown(cache, "sacrebleu:wmt22/zh-en").splitlines() == [
        "wmt22.zh-en · wmt22 zh-en of sacrebleu, reference A · zh · 2022",
        "s0001 · news.1 · 外交部发言人表示。 · The spokesperson said so.",
        "s0002 · news.1 · 中国加入了WTO。 · China joined the WTO.",
        "s0003 · news.2 · 各国都应当合作。 · All countries should cooperate.",
    ]
    assert shown(cache, "sacrebleu:wmt22/zh-en", "document").splitlines() == [
        "wmt22.zh-en.document · wmt22 zh-en of sacrebleu, reference A, document view · zh · 2022",
        "news.1 · news.1 · 外交部发言人表示。中国加入了WTO。 · The spokesperson said so. China joined the WTO.",
        "news.2 · news.2 · 各国都应当合作。 · All countries should cooperate.",
    ]


def test_a_set_of_sacrebleu_is_loaded_again_by_its_origin_and_granularity(cache: Path) -> None:
    shown = python(
        cache,
        "from bench.references import load\n"
        "for granularity in ('sentence', 'document'):\n"
        "    r = load('sacrebleu:wmt22/zh-en', granularity)\n"
        "    print(r.origin, r.granularity, load(r.origin, r.granularity) == r)",
    )
    assert shown.splitlines() == [
        "sacrebleu:wmt22/zh-en sentence True",
        "sacrebleu:wmt22/zh-en document True",
    ]


def test_a_set_of_both_origins_says_so(cache: Path) -> None:
    assert shown(cache, "sacrebleu:wmt17/en-zh").splitlines() == [
        "wmt17.en-zh · wmt17 en-zh of sacrebleu · mixed · 2017",
        "s0001 · a · 和平。 · Peace.",
        "s0002 · b · 中国行动。 · China acts.",
    ]


def run_copy(folder: Path, cache: Path, reference: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    words = ["run", "system=copy", "metric=[chrf]", f"reference={reference}", "-q"]
    return command.bench(folder, *words, status=status, network=False, SACREBLEU=str(cache))


def test_a_set_of_sacrebleu_has_boards(tmp_path: Path, cache: Path) -> None:
    run_copy(tmp_path, cache, "sacrebleu:wmt22/zh-en")
    board = (tmp_path / "runs" / "wmt22.zh-en" / "leaderboard.md").read_text()
    assert "wmt22 zh-en of sacrebleu, reference A, 2022: 3 segments" in board
    assert "The document was written in Chinese: the Chinese source is the original text." in board
    assert "The document was written in Chinese: the English source is itself a translation." in board


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wmt22/de-en", "'wmt22/de-en' for Chinese and English: use one of wmt22/zh-en, wmt22/en-zh."),
        ("wmt99/zh-en", "wmt24/en-zh, wmt23/zh-en"),
        (
            "wmt19/zh-en",
            "run `sacrebleu -t wmt19 -l zh-en --echo src` on a machine with a network, and copy the folder",
        ),
    ],
)
def test_a_set_that_cannot_be_had_is_one_sentence(
    tmp_path: Path, cache: Path, name: str, message: str
) -> None:
    done = run_copy(tmp_path, cache, f"sacrebleu:{name}", status=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
