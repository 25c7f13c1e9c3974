"""What may lie beside parallel files: several references, documents, a card. Scores are those of sacrebleu's command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import references
from bench.core import Task
from bench.errors import BenchError
from bench.languages import Direction, sides
from bench.scorers.sacre import Sacre
from tests.helpers.outside import PAIRS, write_parallel_files

SECOND = {
    "en": [
        "So said the spokesman.",
        "China became a member of the WTO.",
        "Fine!",
        "All states should work together.",
    ],
    "zh": ["发言人这样说。", "中国成为世贸组织成员。", "好!", "所有国家都应合作。"],
}
OUTPUTS = {
    "zh-en": [
        "The spokesman said so.",
        "China became a WTO member.",
        "OK!",
        "All countries should work together.",
    ],
    "en-zh": ["发言人这样表示。", "中国加入世贸组织。", "好!", "各国应当合作。"],
}
_SETTINGS = {
    "BLEU": {"en": ["-m", "bleu"], "zh": ["-m", "bleu", "-tok", "zh"]},
    "chrF": {"en": ["-m", "chrf"], "zh": ["-m", "chrf"]},
    "chrF++": {language: ["-m", "chrf", "--chrf-word-order", "2"] for language in ("en", "zh")},
    "TER": {"en": ["-m", "ter"], "zh": ["-m", "ter", "--ter-normalized", "--ter-asian-support"]},
}


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Two references in each language."""
    prefix = write_parallel_files(tmp_path / "news")
    for language, lines in SECOND.items():
        Path(f"{prefix}.{language}.1").write_text("\n".join(lines) + "\n", "utf-8")
    return prefix


@pytest.mark.parametrize("direction", ["zh-en", "en-zh"])
@pytest.mark.parametrize("metric", ["BLEU", "chrF", "chrF++", "TER"])
def test_two_references_score_as_sacrebleu_says(prefix: Path, metric: str, direction: Direction) -> None:
    task, target = Task(references.load(prefix), direction), sides(direction)[1]
    score = Sacre(metric).score(task, {"a": OUTPUTS[direction]}, prefix.parent)["a"]  # type: ignore[arg-type]
    command = [
        sys.executable,
        "-m",
        "sacrebleu",
        f"{prefix}.{target}",
        f"{prefix}.{target}.1",
        *_SETTINGS[metric][target],
    ]
    output = "\n".join(OUTPUTS[direction]) + "\n"
    done = subprocess.run([*command, "-w", "6"], input=output, capture_output=True, text=True, check=True)
    printed = json.loads(done.stdout)
    assert score.value == pytest.approx(printed["score"], abs=1e-6)
    assert "nrefs:2" in score.signature
    totals = [sum(column) for column in zip(*score.statistics, strict=True)]
    if metric == "TER":
        assert 100 * totals[0] / totals[1] == pytest.approx(score.value)


def test_one_reference_more_is_another_set(prefix: Path) -> None:
    two = references.load(prefix)
    Path(f"{prefix}.en.1").unlink()
    Path(f"{prefix}.zh.1").unlink()
    one = references.load(prefix)
    assert two.sha256 != one.sha256
    assert (one.further, one.segments) == ((), two.segments)


def test_numbers_from_zero_are_the_references(prefix: Path) -> None:
    Path(f"{prefix}.en").rename(f"{prefix}.en.0")
    loaded = references.load(prefix)
    assert [segment.en for segment in loaded.segments] == [en for _, en in PAIRS]
    assert Task(loaded, "zh-en").all_references[1] == tuple(SECOND["en"])
    assert references.load(f"{prefix}.en.0") == loaded


def test_documents_and_a_card(prefix: Path) -> None:
    Path(f"{prefix}.docs").write_text("a\na\nb\nb\n")
    Path(f"{prefix}.yaml").write_text(
        "title: News of 2026\noriginal_language: zh\npublished: 2026-11\nlicence: CC0\n"
    )
    loaded = references.load(prefix)
    assert [segment.section for segment in loaded.segments] == ["a", "a", "b", "b"]
    card = (loaded.title, loaded.original_language, loaded.published, loaded.licence)
    assert card == ("News of 2026", "zh", "2026-11", "CC0")
    joined = references.load(prefix, "document")
    first, second = Task(joined, "zh-en").all_references[1], Task(joined, "en-zh").all_references[1]
    assert first == (
        "So said the spokesman. China became a member of the WTO.",
        "Fine! All states should work together.",
    )
    assert second == ("发言人这样说。中国成为世贸组织成员。", "好!所有国家都应合作。")


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        ("en.1", "One.\nTwo.\n", r"news\.en\.1 has 2 lines .* for 4 segments"),
        ("en.1", "One.\n\nThree.\nFour.\n", r"news\.en\.1 has 4 lines \(1 of them empty\)"),
        ("en.1", "一。\n二。\n三。\n四。\n", r"news\.en\.1 is mostly not English"),
        ("docs", "a\n", r"has 4 lines and .*news\.docs has 1"),
        ("yaml", "titel: News\n", r"news\.yaml: .*`titel`.*use the keys title"),
        ("yaml", "[unclosed", r"news\.yaml: not valid YAML; use the keys"),
    ],
)
def test_bad_files_beside_are_one_sentence(prefix: Path, suffix: str, content: str, message: str) -> None:
    Path(f"{prefix}.{suffix}").write_text(content, "utf-8")
    with pytest.raises(BenchError, match=message):
        references.load(prefix)
