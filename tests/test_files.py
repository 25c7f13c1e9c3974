"""bench.files: hostile and damaged files end in a sentence, at once and in little memory."""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path

import pytest

from bench import limits
from bench.errors import BenchError
from bench.files import check_values, decode_object, decode_record, read_bytes, write_text
from bench.records import ReferenceId


def test_an_ordinary_file_and_a_link_inside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to("a")
    assert read_bytes(tmp_path / "b", inside=tmp_path) == b"content"


def test_what_is_not_a_regular_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)  # the name of a socket is short
        listener.bind("socket")
    for name, reason in (
        ("fifo", "not a regular file"),
        ("zero", "not a regular file"),
        ("folder", "is a folder"),
        ("socket", "Cannot read"),
    ):
        with pytest.raises(BenchError, match=reason):
            read_bytes(tmp_path / name)


@pytest.mark.parametrize("target", ["../outside", "/etc/passwd"])
def test_a_link_that_leads_out_of_the_folder(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "run.json").symlink_to(target)
    with pytest.raises(BenchError, match="leads out of"):
        read_bytes(tmp_path / "store" / "run.json", inside=tmp_path / "store")


def test_a_linked_folder_that_leads_out(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "run.json").write_bytes(b"{}")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BenchError, match="leads out of"):
        read_bytes(tmp_path / "store" / "run" / "run.json", inside=tmp_path / "store")


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "dangling", inside=tmp_path)
    with pytest.raises(BenchError, match="Cannot read"):
        read_bytes(tmp_path / "loop", inside=tmp_path)
    with pytest.raises(BenchError, match="Cannot read"):
        read_bytes(tmp_path / "a\0b", inside=tmp_path)


def test_a_large_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(BenchError, match="larger than 16 MiB"):
        read_bytes(tmp_path / "sparse")
    with pytest.raises(BenchError, match="larger than 256 KiB"):
        read_bytes(tmp_path / "sparse", limits.CONFIG_BYTES)


@pytest.mark.parametrize("value", [b"{}", b"[]", b"0", b'{"a":0}', b'"\\"",[]'])
def test_json_with_many_values_is_refused_before_it_takes_memory(value: bytes) -> None:
    data = b'{"id":[' + b",".join([value] * 2_000) + b"]}"
    for decode in (decode_object, partial(decode_record, kind=ReferenceId)):
        with pytest.raises(BenchError, match="more than 1,000 values"):
            decode(data, Path("x.json"), most=1_000)


def test_commas_and_brackets_in_texts_are_no_values() -> None:
    check_values(rb'["a,[{\\\",", "b,,,,"]' * 3, Path("x.json"), limit=6)
    for damaged in (b'"' * 9, b'"\\' * 9, b'\\"' * 9):
        check_values(damaged + b"," * 7, Path("x.json"), limit=8)


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b"\xff",
        b"[" * 10**6,
        b'{"a":' * 10**5,
    ],
)
def test_json_that_is_refused(data: bytes) -> None:
    with pytest.raises(BenchError, match="is not"):
        decode_object(data, Path("x.json"))


def test_half_a_surrogate_pair_is_written_as_a_question_mark(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a\ud800b")
    assert (tmp_path / "a.txt").read_bytes() == b"a?b"
