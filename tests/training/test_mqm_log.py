"""Logs of MQM errors -> judgements."""

from __future__ import annotations

from pathlib import Path

from bench.scoring.judgements import Judgement
from training.mqm_log import read_log

LOG = """system\tdoc\tdocSegId\tglobalSegId\trater\tsource\ttarget\tcategory\tseverity\tmetadata
a\td\t1\t1\tr1\t出口<v>管制</v>。\t"Export control.\tAccuracy/Omission (Translation)\tMajor\t{}
a\td\t1\t1\tr1\t出口管制。\t"Export control<v>.</v>\tFluency/Punctuation\tMinor\t{}
a\td\t1\t1\tr2\t出口管制。\t"Export <v>control</v>.\tStyle/Unnatural or awkward\tMinor\t{}
a\td\t1\t1\tr2\t出口管制。\t"Export control.\tFound\tHOTW-test\t{}
b\td\t1\t1\tr1\t出口管制。\tNo.\tNon-translation!\tMajor\t{}
b\td\t2\t2\tr1\t和 平\tPeace\tNo-error\tNo-error\t{}
b\td\t2\t2\tr2\t和 平\tPeace\tSource issue\tMajor\t{}
"""


def test_points_are_the_mean_over_annotators(tmp_path: Path) -> None:
    files = {"log.tsv": LOG, "zh": "和平\n出口管制。\n", "en": "peace\nexport controls\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_log(*(tmp_path / name for name in files), "zh-en") == [
        Judgement("zh-en", "a", "1", "d", "出口管制。", '"Export control.', "export controls", -3.05),
        Judgement("zh-en", "b", "1", "d", "出口管制。", "No.", "export controls", -25),
        Judgement("zh-en", "b", "2", "d", "和 平", "Peace", "peace", 0),
    ]
