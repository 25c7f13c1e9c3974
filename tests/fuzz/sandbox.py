"""Runs an input in this process and watches it. For a process that does nothing else: an audit hook stays."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import socket
import sys
import time
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from click.testing import CliRunner, Result

from bench import progress
from bench.cli.main import main
from bench.errors import BenchError
from bench.resources import python_command
from tests.fuzz import translate
from tests.fuzz.case import Case
from tests.fuzz.key import KEY
from tests.fuzz.server import playing

HANG_SECONDS = 20
MEMORY = 2**30
"""Bytes that the largest size of the process may grow by."""
MEMORY_GROWN = "the process grew by more than 1 GiB"
_OWN_COMMANDS = ("git", "nvidia-smi", "lscpu")  # numpy.testing asks lscpu
_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
_BENCH = str(Path(__file__).parents[2] / "bench")


@dataclass(frozen=True)
class Finding:
    what: str
    """Kind of fault and place in the code: the same for all inputs that show the same fault."""
    details: str


class _Hang(BaseException):
    pass


class Sandbox:
    """`root` gets four folders: `work`, with the input; `home` with caches; `tmp`; and `outside`, which
    nothing may touch."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.work, self.outside = self.root / "work", self.root / "outside"
        self._watch: _Watch | None = None
        self._memory = _peak_memory()
        for name in ("home", "tmp", "outside"):
            (self.root / name).mkdir(exist_ok=True)
        (self.outside / "secret.txt").write_text("This file belongs to somebody else.\n")
        limit = 4 * MEMORY + _virtual_memory()
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))  # the machine is not to run out of memory
        sys.addaudithook(self._hook)

    def run(self, case: Case) -> list[Finding]:
        """Run the input; returns what is wrong with what the command did."""
        case.write(self.work)
        os.chdir(self.work)
        before = self._untouchable(case)
        findings: list[Finding] = []
        with playing(case.replies) as port:
            arguments = [argument.replace("{port}", str(port)) for argument in case.arguments]
            watch = _Watch(self, case, port)
            progress.configure(quiet=False)
            try:
                with _alarm():
                    self._watch = watch
                    result = _invoke(arguments)
            except _Hang as hang:
                findings.append(_finding(f"hang of {HANG_SECONDS} s", hang.__traceback__, hang))
            else:
                findings += _result_findings(result)
                if not result.exit_code and arguments[:2] == ["references", "build"]:
                    findings += _set_findings(Path(arguments[arguments.index("--out") + 1]))
            finally:
                self._watch = None
        findings += [Finding(seen, f"first seen in\n{place}") for seen, place in watch.seen.items()]
        os.chdir(self.root)
        if changed := sorted(set(before.items()) ^ set(self._untouchable(case).items())):
            name = changed[0][0]
            findings.append(
                Finding(f"changed {_general(name, case)}", ", ".join(name for name, _ in changed))
            )
        findings += self._leaks(case)
        if (grown := _peak_memory() - self._memory) > MEMORY:
            findings.append(Finding(MEMORY_GROWN, f"grew by {grown / 2**30:.1f} GiB"))
        return findings

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watch:
            self._watch.see(event, arguments)

    def _untouchable(self, case: Case) -> dict[str, tuple[int, int, int]]:
        """State of everything that the command may not write."""
        allowed = [self.work / name for name in case.writes]
        states = {}
        for top in (self.work, self.outside):
            for folder, folders, files in os.walk(top):
                folders[:] = [name for name in folders if Path(folder, name) not in allowed]
                for name in (*folders, *files):
                    path = Path(folder, name)
                    if path not in allowed:
                        state = path.lstat()
                        time = 0 if name in folders else state.st_mtime_ns
                        states[str(path.relative_to(self.root))] = (state.st_mode, state.st_size, time)
        return states

    def _leaks(self, case: Case) -> list[Finding]:
        """The key in a file that the command wrote."""
        given = KEY.encode() in b"".join(c for c in case.files.values() if isinstance(c, bytes))
        if given or (not case.replies and "OPENAI" not in " ".join(case.arguments)):
            return []
        for name in case.writes:
            for path in (self.work / name).rglob("*"):
                if path.is_file() and not path.is_symlink() and KEY.encode() in path.read_bytes():
                    return [Finding(f"the key is in {path.name}", str(path))]
        return []


class _Watch:
    """What the audit hook saw while one input ran."""

    def __init__(self, sandbox: Sandbox, case: Case, port: int) -> None:
        self.seen: dict[str, str] = {}
        self._case, self._port, self._sandbox = case, port, sandbox
        own = (sandbox.root / "tmp", sandbox.root / "home", *(sandbox.work / name for name in case.writes))
        self._allowed = tuple(str(path) for path in own)

    def see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, (str, bytes)):
                self._opened(os.path.realpath(os.fsdecode(path)), flags or 0)
        elif event in ("os.remove", "os.rmdir", "os.mkdir"):
            self._changed(event, arguments[0], arguments[-1])
        elif event in ("os.rename", "os.link"):
            self._changed(event, arguments[0], arguments[2])
            self._changed(event, arguments[1], arguments[3])
        elif event == "os.symlink":
            self._changed(event, arguments[1], arguments[2])
        elif event in ("os.truncate", "os.chmod", "os.chown", "os.utime", "os.setxattr"):
            self._changed(event, arguments[0], -1)
        elif event == "subprocess.Popen":
            self._started(arguments[1])
        elif event in ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn"):
            self._report(f"{event} was called", stop=True)
        elif event == "exec" and self._is_inside(arguments[0].co_filename):
            self._report("code from the working folder is executed", stop=True)
        elif event == "compile" and arguments[1] and self._is_inside(os.fsdecode(arguments[1])):
            self._report("code from the working folder is compiled", stop=True)
        elif event in ("import", "ctypes.dlopen"):
            name = arguments[1] if event == "import" else arguments[0]
            if name and self._is_inside(os.fsdecode(name)):
                self._report("a module from the working folder is loaded", stop=True)
        elif event == "pickle.find_class":
            self._report(f"a pickle loads {arguments[0]}.{arguments[1]}", stop=True)
        elif event == "socket.connect":
            self._connected(arguments[1])
        elif event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost", None):
            raise OSError(errno.ENETUNREACH, "the fuzzer has no network")

    def _connected(self, address: Any) -> None:
        if isinstance(address, tuple) and address[:2] != ("127.0.0.1", self._port):
            raise OSError(errno.ENETUNREACH, "the fuzzer has no network")

    def _opened(self, path: str, flags: int) -> None:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            if path != os.devnull and not self._may_write(path):
                self._report(f"writes {self._name(path)}", stop=True)
        elif path.startswith(str(self._sandbox.outside)):
            self._report("reads through a link that leads out of the folder")

    def _changed(self, event: str, path: Any, folder: int) -> None:
        """A name in a folder was made, removed or changed. `folder`: descriptor that `path` is relative to, or -1."""
        if isinstance(path, int):
            return
        name = os.fsdecode(path)
        if isinstance(folder, int) and folder >= 0 and sys.platform == "linux":
            name = os.path.join(os.readlink(f"/proc/self/fd/{folder}"), name)
        parent, last = os.path.split(os.path.abspath(name))
        full = os.path.join(os.path.realpath(parent), last)
        if event in ("os.mkdir", "os.remove") and os.path.lexists(full) == (event == "os.mkdir"):
            return  # there already, or nothing to remove
        if not self._may_write(full):
            self._report(f"{event} of {self._name(full)}", stop=True)

    def _started(self, arguments: Any) -> None:
        words = [arguments] if isinstance(arguments, (str, bytes)) else list(arguments)
        program = os.path.basename(os.fsdecode(words[0]))
        *options, code = python_command("")  # Python that imports nothing from the working folder
        is_own_python = words[: len(options)] == options and str(words[len(options)]).startswith(code)
        if program not in _OWN_COMMANDS and not is_own_python:
            self._report(f"starts {program}", stop=True)

    def _may_write(self, path: str) -> bool:
        folder, name = os.path.split(path)
        if match := re.fullmatch(
            rf"\.(.+)\.{re.escape(socket.gethostname())}\.\d+\.tmp", name
        ):  # of bench.files.write_text, beside the file
            path = os.path.join(folder, match[1])
        return any(path == allowed or path.startswith(f"{allowed}/") for allowed in self._allowed)

    def _is_inside(self, path: str) -> bool:
        # names such as "<string>" are no paths
        return bool(path) and path[0] != "<" and os.path.realpath(path).startswith(str(self._sandbox.root))

    def _name(self, path: str) -> str:
        inside = path.startswith(str(self._sandbox.root))
        return _general(os.path.relpath(path, self._sandbox.root), self._case) if inside else path

    def _report(self, what: str, stop: bool = False) -> None:
        stack = [frame for frame in traceback.extract_stack() if frame.filename != __file__]
        place = next((frame for frame in reversed(stack) if frame.filename.startswith(_BENCH)), stack[-1])
        where = f"{Path(place.filename).name}:{place.name}"
        self.seen.setdefault(f"{what} in {where}", "".join(traceback.format_list(stack[-8:])))
        if stop:  # nothing is to happen to the machine that fuzzes
            raise PermissionError(errno.EACCES, "the fuzzer forbids this")


def _invoke(arguments: list[str]) -> Result:
    command = translate.main if arguments[0] == "translate" else main
    return CliRunner().invoke(command, arguments[1:] if arguments[0] == "translate" else arguments)


def _result_findings(result: Result) -> Iterator[Finding]:
    error = result.exception
    if error and not isinstance(error, SystemExit):
        place = result.exc_info[2] if result.exc_info else None
        yield _finding(type(error).__name__, place, error)
        return
    if result.exit_code not in (0, 1, 2):
        yield Finding(f"exit code {result.exit_code}", result.output)
    output = result.output
    if "Traceback (most recent call last)" in output:
        frames = re.findall(r'File ".*?/(bench/[^"]+)", line \d+, in (\w+)', output)
        printed_in = ":".join(frames[-1]) if frames else "?"
        error_name = output.strip().splitlines()[-1].partition(":")[0]
        yield Finding(f"a traceback is printed: {error_name} in {printed_in}", output[-3000:])
    if unsafe := {c for c in output if c in _BIDI or (unicodedata.category(c) == "Cc" and c not in "\n\t")}:
        where = next(line for line in output.splitlines(True) if unsafe & set(line))
        command = re.sub(r"[^ A-Za-z]+", " ", where)[:40].strip()
        yield Finding(f"control characters are printed: {command}", repr(where[:1000]))
    if warning := re.search(r"^\S+\.py:\d+: (\w*Warning): .*", output, re.MULTILINE):
        yield Finding(f"{warning[1]} of {warning[0].rpartition('/')[2][:80]}", warning[0])
    if KEY in output:
        yield Finding("the key is printed", output[-3000:])
    message = re.search(r"^Error: (.*)", result.stderr, re.MULTILINE | re.DOTALL)
    if result.exit_code == 2 and message and "\n" in message[1].rstrip("\n"):
        first = re.sub(r"[^ A-Za-z]+", " ", message[1])[:40]
        yield Finding(f"a message of several lines: {first}", message[1][:3000])


def _set_findings(folder: Path) -> Iterator[Finding]:
    """Whether what was built is a set that the loader and the check accept."""
    from bench.references import load
    from bench.references.review.check import prove

    try:
        prove(folder)
        load(folder)
    except BenchError as error:
        if "terms.tsv" not in str(error):  # people write it, and the build does not read it
            message = re.sub(r"[^ A-Za-z]+", " ", str(error).partition(":")[2])[:60]
            yield Finding(f"the set is refused: {message}", str(error))


def _finding(what: str, place: TracebackType | None, error: BaseException) -> Finding:
    frames = traceback.extract_tb(place)
    own = [frame for frame in frames if frame.filename.startswith(_BENCH)] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].name}" if own else "?"
    return Finding(f"{what} in {where}", "".join(traceback.format_exception(error))[-4000:])


def _general(name: str, case: Case) -> str:
    """A path without the parts that differ between inputs."""
    return f"{name.split('/')[0]}/…/{Path(name).suffix or Path(name).name}" if "/" in name else name


@contextmanager
def _alarm() -> Iterator[None]:
    """Raises _Hang in Python code that has computed for HANG_SECONDS, or waited for as long.

    Other processes may leave this one little time, so computing is measured in time of the CPU. What hangs in
    C is killed by the parent process.
    """
    began = looked = time.process_time()

    def look(number: int, frame: FrameType | None) -> None:
        nonlocal looked
        now = time.process_time()
        if now - began > 0.9 * HANG_SECONDS or now - looked < 0.5:
            raise _Hang
        looked = now

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS, HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _virtual_memory() -> int:
    """Bytes that this process has mapped; a large number if the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 64 * MEMORY
