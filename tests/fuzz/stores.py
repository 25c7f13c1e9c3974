"""Files of stores and published results, read by verify, compare, publish and run."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case, Content

_RESUME = ("run", "-q", "system=copy", "reference=set", "metric=[bleu]", "direction=zh-en", "store=store")


@st.composite
def _case(draw: st.DrawFn) -> Case:
    names = (
        ["verify"] * 4
        + ["verify results"]
        + ["compare"] * 6
        + ["publish"] * 2
        + ["publish into"] * 2
        + ["run"]
    )
    name = draw(st.sampled_from([*names, "regenerate"]))
    parallel = prepared.set_files()
    store = {**prepared.store("store"), **_unfinished()}
    results = {**prepared.store("results"), "README.md": (prepared.folder() / "README.md").read_bytes()}
    if name == "verify":
        return Case(("verify", "store"), parallel | draw(mutations.files(store)))
    if name == "verify results":
        return Case(("verify", "results"), parallel | draw(mutations.files(results)))
    if name == "compare":
        first = draw(st.sampled_from(["copy", "copy", "c", "store/set/zh-en"]) | mutations.texts).replace(
            "\0", "_"
        )
        options = draw(
            mutations.pick([[], [], ["--reference", "set"], ["--metric", "bleu"], ["--segments", "9"]])
        )
        return Case(
            ("compare", first, "ours", "--store", "store", *options), parallel | draw(mutations.files(store))
        )
    if name == "run":
        return Case(_RESUME, parallel | draw(mutations.files(store)), ("store",))
    writes = ("results", "README.md", "store")
    if name == "regenerate":
        return Case(("publish",), parallel | draw(mutations.files(results)), writes)
    run = {path: data for path, data in store.items() if "/copy-" in path}
    others = {path: data for path, data in results.items() if "/copy-" not in path}
    folder = next(path for path in run if path.endswith("run.json")).rpartition("/")[0]
    changed = (
        draw(mutations.files(run)) | others if name == "publish" else run | draw(mutations.files(others))
    )
    return Case(("publish", folder), parallel | changed, writes)


def _unfinished() -> dict[str, Content]:
    """What an interrupted run of another system leaves."""
    runs = prepared.store("store")
    hypotheses = next(
        data for name, data in runs.items() if "copy-" in name and name.endswith("hypotheses.jsonl")
    )
    assert isinstance(hypotheses, bytes)
    lines = [
        line[:-1] + b', "attempt": "20261101T000000.0-host-1", "seconds": 0.5}'
        for line in hypotheses.splitlines()[:2]
    ]
    return {
        "store/set/zh-en/other-01234567/journal-20261101T000000.0-host-1.jsonl": b"\n".join(lines) + b"\n",
        "store/set/zh-en/other-01234567/failure.json": b'{"reason": "was stopped"}',
        "store/set/zh-en/failure-chrf.json": b'{"reason": "was stopped"}',
    }


def cases() -> st.SearchStrategy[Case]:
    return _case()
