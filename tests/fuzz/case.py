"""One input: the files on disk, the answers of a server, and the command that reads them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Content = bytes | str
"""Of a file: its bytes, or "fifo", "folder" or "-> TARGET" for what is no regular file."""


@dataclass(frozen=True)
class Case:
    arguments: tuple[str, ...]
    """Of `bench`, or of tests.fuzz.translate if the first is "translate". "{port}" stands for the server's."""
    files: Mapping[str, Content]
    """Path in the working folder -> content."""
    writes: tuple[str, ...] = ()
    """Folders and files, in the working folder, that the command may write."""
    replies: tuple[bytes, ...] = ()
    """What the server sends to each request, in turn, byte by byte."""

    def write(self, folder: Path) -> None:
        """Make the files. What the operating system refuses (a name too long, a file in a file) is left out."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            path = folder / name
            if ".." in path.parts or not path.is_relative_to(folder):
                continue
            with suppress(OSError, ValueError):
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, bytes):
                    path.write_bytes(content)
                elif content == "fifo":
                    os.mkfifo(path)
                elif content == "folder":
                    path.mkdir()
                else:
                    path.symlink_to(content.removeprefix("-> "))

    def to_json(self) -> str:
        """Readable, and without loss: bytes are written as the characters with these numbers (Latin-1)."""
        files = {
            name: {"latin-1": content.decode("latin-1")} if isinstance(content, bytes) else content
            for name, content in self.files.items()
        }
        replies = [reply.decode("latin-1") for reply in self.replies]
        fields = {"arguments": self.arguments, "files": files, "writes": self.writes, "replies": replies}
        return json.dumps(fields, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Case:
        fields = json.loads(text)
        files = {
            name: content["latin-1"].encode("latin-1") if isinstance(content, dict) else content
            for name, content in fields["files"].items()
        }
        replies = tuple(reply.encode("latin-1") for reply in fields["replies"])
        return cls(tuple(fields["arguments"]), files, tuple(fields["writes"]), replies)


def read_files(folder: Path, skip: tuple[str, ...] = ()) -> dict[str, bytes]:
    """Path -> content of all files in `folder`, without the folders named in `skip`."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(skip) & set(path.relative_to(folder).parts)
    }
