"""`python -m tests.fuzz [KIND …]`, which `make fuzz` calls. Exit code 1 if anything was found."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

KINDS = {
    "settings": 16,
    "stores": 18,
    "sets": 64,
    "documents": 54,
    "tables": 30,
    "answers": 14,
    "annotations": 20,
    "checkpoints": 4,
}
"""Module -> its share of the inputs. What takes longer for each input gets fewer."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"some of {', '.join(KINDS)}; default: all")
    parser.add_argument("--inputs", type=int, default=20_000, help="of all kinds together; default: 20,000")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs; default: 1")
    parser.add_argument(
        "--into", type=Path, help="folder for the inputs that found something; default: a new one"
    )
    parser.add_argument("--repeat", type=Path, metavar="FILE", help="run one such input again")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; use some of {', '.join(KINDS)}")
    with tempfile.TemporaryDirectory(prefix="bench-fuzz-") as root:
        set_environment(Path(root).resolve())
        if options.repeat:
            return repeat(options.repeat, Path(root))
        into = (options.into or Path(tempfile.mkdtemp(prefix="bench-fuzz-findings-", dir="/tmp"))).resolve()
        into.mkdir(parents=True, exist_ok=True)
        prepare()
        kinds = {kind: share for kind, share in KINDS.items() if kind in (options.kinds or KINDS)}
        total = sum(kinds.values())
        found = [
            fuzz(kind, max(1, options.inputs * share // total), options.seed, Path(root), into)
            for kind, share in kinds.items()
        ]
        if not any(into.iterdir()):
            into.rmdir()
    return int(any(found))


def prepare() -> None:
    """Import and make here what every process needs."""
    from tests.fuzz import prepared

    prepared.folder()


def fuzz(kind: str, count: int, seed: int, root: Path, into: Path) -> int:
    """Run inputs of a kind; returns the number of different findings."""
    from importlib import import_module

    from tests.fuzz import campaign

    cases = import_module(f"tests.fuzz.{kind}").cases()
    result = campaign.run(cases, count, seed, root, campaign.saver(into, kind))
    count = len(result.findings)
    print(f"{kind:12} {result.inputs:6} inputs {count:3} findings {result.seconds:6.0f} s", flush=True)
    for what, inputs in result.findings.most_common():
        path = campaign.saved(into, kind, what)
        print(
            f"  {what} ({inputs} inputs; seed {seed})",
            f"    {sys.executable} -m tests.fuzz --repeat {path}",
            sep="\n",
            flush=True,
        )
    return count


def repeat(path: Path, root: Path) -> int:
    """Run an input again and print what is wrong."""
    from tests.fuzz.case import Case
    from tests.fuzz.sandbox import Sandbox

    case = Case.from_json(path.read_text())
    findings = Sandbox(root / "sandbox").run(case)
    print("bench", *map(repr, case.arguments))
    for finding in findings or ():
        print(f"{finding.what}\n{finding.details}".encode(errors="backslashreplace").decode())
    print(f"{len(findings)} findings")
    return int(bool(findings))


def set_environment(root: Path) -> None:
    """Before anything is imported: caches, temporary files and home are in `root`, and nothing is downloaded."""
    from tests.fuzz.key import KEY

    for name in ("sandbox/tmp", "sandbox/home"):
        (root / name).mkdir(parents=True)
    home = root / "sandbox" / "home"
    for name in [
        name for name in os.environ if name.lower().endswith("_proxy") or name.startswith(("HF_", "OPENAI"))
    ]:
        del os.environ[name]
    os.environ |= {
        "FUZZ_ROOT": str(root),
        "HOME": str(home),
        "TMPDIR": str(root / "sandbox" / "tmp"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "BITEXT_BENCH_CACHE": str(home / "bench"),
        "SACREBLEU": str(home / "sacrebleu"),
        "HF_HOME": str(home / "hub"),
        "HF_HUB_OFFLINE": "1",
        "PIP_NO_INDEX": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(root / "hypothesis"),
        "OPENAI_API_KEY": KEY,
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "200",
    }
    tempfile.tempdir = os.environ["TMPDIR"]
    sys.dont_write_bytecode = True


if __name__ == "__main__":
    sys.exit(main())
