"""Adapters, scorers and prompts of the user's own: found in the folder of --config-dir, and told apart by their
source code."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.core import Adapter, Scorer
from bench.errors import BenchError


def add_folders(folders: Sequence[Path]) -> None:
    """Let Python import modules from these folders. Installed packages come first: no library can be replaced."""
    for folder in map(str, folders):
        if folder not in sys.path:
            sys.path.append(folder)


def check_place(module: ModuleType, folders: Sequence[Path]) -> None:
    """Raise BenchError if a module of the user's own has the name of another one, which was imported instead."""
    top = module.__name__.partition(".")[0]
    for folder in folders:
        for path in (folder / f"{top}.py", folder / top):
            if path.exists() and folder.resolve() not in Path(module.__file__ or "").resolve().parents:
                raise BenchError(
                    f"{path} cannot be imported, because another module is named {top} ({module.__file__}): "
                    "rename yours, and correct _target_."
                )


def identity(component: Adapter | Scorer) -> Mapping[str, Any]:
    """The identity of an adapter or a scorer. One of the user's own also has the hash of its source code."""
    own = component.identity()
    digest = _source_digest(type(component))
    return {**own, "source": digest} if digest else own


def _source_digest(kind: type) -> str:
    """SHA-256 of the file that defines a class and of the files beside it that it imports; "" for a class of
    bench."""
    if kind.__module__.partition(".")[0] == "bench":
        return ""
    file = inspect.getsourcefile(kind)
    if file is None:
        return ""
    root = Path(file).resolve().parents[kind.__module__.count(".")]
    is_installed = root in {Path(path).resolve() for path in sysconfig.get_paths().values()}
    top = kind.__module__.partition(".")[0] if is_installed else ""
    content = hashlib.sha256()
    for path in sorted(_imported(Path(file).resolve(), root, top, set())):
        content.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()


def _imported(file: Path, root: Path, top: str, seen: set[Path]) -> set[Path]:
    """A Python file, and the files below `root` that it imports, also indirectly.

    `top`: follow imports of this package only; "" follows all.
    """
    seen.add(file)
    package = file.relative_to(root).parent.parts
    for name in _names(ast.parse(file.read_bytes()), package):
        if name[:1] == ("bench",) or (top and name[:1] != (top,)):
            continue  # scorers and adapters of bench state their own versions
        for length in range(1, len(name) + 1):
            base = root.joinpath(*name[:length])
            for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
                if path.is_file() and path not in seen:
                    _imported(path, root, top, seen)
    return seen


def _names(tree: ast.Module, package: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The modules that import statements name, as parts: ("package", "module")."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = (*start, *(node.module.split(".") if node.module else ()))
            for alias in node.names:
                yield (*module, alias.name)
