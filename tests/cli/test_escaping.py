"""What the commands print, when paths, settings, documents and cards come from a stranger."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import progress, references
from bench.core import Task
from bench.store import Store
from tests.helpers.command import bench, invoke
from tests.helpers.hostile import TEXTS, steering
from tests.helpers.stored import hypothesis, store_run

STEERING = [
    "\x1b[31mred",
    "\x9b2J",
    "\u202egnp",
    "a\u200bb",
    "\u2066a",
    "\U000e0041",
    "a\rb",
    "\x1b]8;;http://x\x07y",
]


def parallel_files(folder: Path, pairs: list[tuple[str, str]]) -> Path:
    """The PREFIX of parallel files."""
    for place, suffix in enumerate(("zh", "en")):
        text = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"set.{suffix}").write_text(text, "utf-8")
    return folder / "set"


@pytest.mark.parametrize("text", STEERING)
@pytest.mark.parametrize(
    "arguments",
    [
        ["{}"],
        ["--{}"],
        ["run", "{}"],
        ["run", "system={}"],
        ["run", "system=copy", "reference={}"],
        ["run", "metric=[{}]"],
        ["run", "{}=1"],
        ["compare", "{}", "b"],
        ["compare", "a", "b", "--store", "{}"],
        ["compare", "a", "b", "--segments", "{}"],
        ["compare", "a", "b", "--{}"],
        ["verify", "{}"],
        ["publish", "{}"],
        ["doctor", "system={}"],
        ["prefetch", "system={}"],
        ["meta-evaluate", "{}"],
        ["references", "{}"],
        ["references", "build", "{}", "--id", "a"],
        ["references", "build", "--id", "{}"],
        ["references", "check", "{}"],
        ["references", "review", "{}"],
        ["references", "export", "{}", "--out", "out"],
        ["references", "evaluate", "{}"],
    ],
    ids=" ".join,
)
def test_an_error_quotes_what_was_typed_and_nothing_steers_the_terminal(
    arguments: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*(argument.replace("{}", text) for argument in arguments))
    assert result.exit_code in (1, 2), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert steering(result.output) == set()


def test_a_path_of_bytes_is_printed(tmp_path: Path) -> None:
    """A name that is not UTF-8, in a process of its own."""
    done = bench(tmp_path, "references", "check", "a\udce9\x1b[31m", status=2)
    assert steering(done.stdout + done.stderr) == set()
    assert "Error: " in done.stderr


@pytest.mark.parametrize("text", [*STEERING, TEXTS["rich"], TEXTS["lines"]])
def test_progress_and_sentences(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_quiet", False)
    progress.say(f"begin {text} end")
    with progress.bar(f"begin {text}", 1, "segments") as advance:
        advance()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert steering("\n".join(lines)) == set()
    assert all(line.startswith("begin ") for line in lines)


@pytest.mark.parametrize("text", ["\u202egnp\u200b", "[/] [bold]a[/] [link=http://x]b"])
def test_compare_shows_cards_and_texts_of_strangers(text: str, tmp_path: Path) -> None:
    prefix = parallel_files(tmp_path, [("一。", f"one {text}"), ("二。", f"two {text}")])
    reference = references.load(str(prefix))
    store, task = Store(tmp_path / "runs"), Task(reference, "zh-en")
    for name in ("ours", "theirs"):
        texts = [hypothesis(id, f"{name} {text} {id}", raw=text) for id in task.ids]
        card = {"name": name, "size": text, "licence": f"{name} {text}", "base_model": text}
        store_run(
            store, task, name, texts, system=card, adapter={"adapter": "hypotheses", "path": f"{name} {text}"}
        )
    run = [
        "run",
        "-q",
        f"store={store.root}",
        f"reference={prefix}",
        "stages=[score]",
        "metric=[chrf]",
        "system=copy",
    ]
    result = invoke(*run, "direction=zh-en")
    assert steering(result.output) == set()
    result = invoke("compare", "ours", "theirs", "--store", store.root)
    assert result.exit_code == 0, result.output
    assert steering(result.output) == set()
    assert text.replace("\u202e", "<202E>").replace("\u200b", "<200B>") in " ".join(result.output.split())


@pytest.mark.slow
def test_quiet_is_quiet_about_what_libraries_say(tmp_path: Path) -> None:
    """sacrebleu warns of a hundred texts that end in " .", on standard error."""
    lines = [(f"第{n}条。", f"Article {n} applies .") for n in range(130)]
    prefix = parallel_files(tmp_path, lines)
    (tmp_path / "ours.txt").write_text("".join(f"The {en}\n" for _, en in lines))
    run = ["run", f"reference={prefix}", "system=hypotheses", "system.name=ours", "direction=zh-en"]
    run += ["system.adapter.path=ours.txt", "metric=[bleu]"]
    assert "tokenized period" in bench(tmp_path, *run, "store=loud").stderr
    assert bench(tmp_path, *run, "store=quiet", "-q").stderr == ""
