"""Human judgements for meta-evaluate, and outputs of a system that ran elsewhere."""

from __future__ import annotations

import gzip
import json

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case
from tests.helpers.outside import PAIRS

_JUDGEMENTS = "lp,system,seg,doc,src,mt,ref,score\n" + "".join(
    f"zh-en,{system},{n},d,{zh},{en[: 5 * (n + quality)]},{en},{quality - 0.25 * n}\n"
    for system, quality in (("a", 1), ("b", 2))
    for n, (zh, en) in enumerate(PAIRS)
)
_IDS = [f"s{n:04}" for n in range(1, len(PAIRS) + 1)]
_OUTPUTS = {
    "out.txt": "".join(f"{en}\n" for _, en in PAIRS).encode(),
    "out.tsv": "\n".join(f"{id}\t{en}" for id, (_, en) in zip(_IDS, PAIRS, strict=True)).encode(),
    "out.jsonl": b"".join(
        json.dumps({"id": id, "text": en}).encode() + b"\n" for id, (_, en) in zip(_IDS, PAIRS, strict=True)
    ),
}


@st.composite
def _judgements(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(["j.csv", "j.csv", "j.csv", "j.csv.gz"]))
    data = draw(mutations.cells(_JUDGEMENTS.encode(), ",") | mutations.bytes_(_JUDGEMENTS.encode()))
    if name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
        data = draw(st.just(data) | mutations.bytes_(data))
    files = {name: draw(st.sampled_from([data] * 30 + mutations.SPECIAL))}
    # correlations and their intervals take seconds, so most files are only read
    command = draw(
        mutations.pick(
            [["translate", "judgements"]] * 14 + [["meta-evaluate"], ["meta-evaluate", "--markdown"]]
        )
    )
    return Case((*command, name), files)


@st.composite
def _outputs(draw: st.DrawFn) -> Case:
    name = draw(st.sampled_from(sorted(_OUTPUTS)))
    files = {
        name: draw(st.sampled_from([draw(mutations.content(name, _OUTPUTS[name]))] * 30 + mutations.SPECIAL))
    }
    return Case(("translate", "hypotheses", name), {**prepared.set_files(), **files}, ("store",))


def cases() -> st.SearchStrategy[Case]:
    return _judgements() | _outputs()
