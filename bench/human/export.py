"""Reference set and runs -> a campaign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil
from random import Random

from bench.core import Score, Span, Task
from bench.human.campaign import (
    DAMAGED,
    INTACT,
    Campaign,
    Info,
    Item,
    MarkedSpan,
    Origin,
    Protocol,
    marked,
    shown,
    utf16_length,
)
from bench.human.sampling import Page
from bench.store import Run

_CONTEXT = 2
"""Source segments that are shown before a page."""
_PAGES_PER_CHECK = 10
_CHECK_CHARACTERS = 20
"""A shorter text makes no attention check: the damage would be all of it."""


def build(
    campaign_id: str,
    task: Task,
    runs: Sequence[Run],
    pages: Sequence[Page],
    sample: str,
    protocol: Protocol,
    annotators: int,
    each: int,
    seed: int,
    prefill: Sequence[Mapping[str, Score]] = (),
) -> Campaign:
    """`each`: how many annotators see a page. `prefill`: for each metric, run -> the score whose error spans are
    marked already. The same arguments give the same campaign.
    """
    texts = {run.label: [hypothesis.text for hypothesis in run.hypotheses_of(task)] for run in runs}
    random = Random(seed)
    shown_pages = [_page(task, texts, page, protocol, prefill, random) for page in pages]
    tasks: list[list[list[Item]]] = [[] for _ in range(annotators)]
    for number, page in enumerate(shown_pages):
        for copy in range(each):
            tasks[(number * each + copy) % annotators].append(page)
    for number, items in enumerate(tasks):
        for check in range(ceil(len(items) / _PAGES_PER_CHECK)):
            if item := _check(task, f"check/{number + 1}-{check + 1}", random):
                items.insert(random.randint(0, len(items)), [item])
    return Campaign(
        campaign_id,
        Info(protocol),
        tasks,
        Origin(
            task.reference.id,
            task.reference.sha256,
            task.direction,
            len(task.ids),
            sample,
            seed,
            {run.label: run.record.hypotheses_sha256 for run in runs},
        ),
    )


def _page(
    task: Task,
    texts: Mapping[str, Sequence[str]],
    page: Page,
    protocol: Protocol,
    prefill: Sequence[Mapping[str, Score]],
    random: Random,
) -> list[Item]:
    """The systems stand in the same random order in all items of a page."""
    labels = list(texts)
    random.shuffle(labels)
    return [
        Item(
            item_id=task.ids[index],
            src=shown(task.sources[index]),
            tgt={_key(label): shown(texts[label][index]) for label in labels},
            instructions=_context(task, page) if index == page[0] else "",
            error_spans={
                _key(label): spans
                for label in labels
                if (spans := _spans(texts[label][index], index, label, prefill, protocol))
            },
        )
        for index in page
    ]


def _key(label: str) -> str:
    """The run's name in a campaign: Pearmut takes no names of digits alone."""
    return f"run-{label}" if label.isdigit() else label


def run_keys(labels: Sequence[str]) -> dict[str, str]:
    """The names in a campaign -> the runs."""
    return {_key(label): label for label in labels}


def _context(task: Task, page: Page) -> str:
    """HTML: where the page stands, and the source before it."""
    segment = task.reference.segments[page[0]]
    before = "<br>".join(escape(task.sources[i]) for i in range(max(0, page[0] - _CONTEXT), page[0]))
    place = f"<b>{escape(task.reference.title)}</b>, section {escape(segment.section)}"
    return f"<p>{place}</p>" + (f"<p><i>Before this, not to be judged:</i><br>{before}</p>" if before else "")


def _spans(
    text: str, index: int, label: str, prefill: Sequence[Mapping[str, Score]], protocol: Protocol
) -> list[MarkedSpan]:
    """The errors that metrics have marked, without overlaps, and one mark for what they miss."""
    taken: list[MarkedSpan] = []
    missing = False
    for scores in prefill:
        if (score := scores.get(label)) is None:
            continue
        for span in score.spans[index] if score.spans else ():
            new = marked(text, span.start, span.end, _severity(span), _category(protocol, "Mistranslation"))
            if new and all(new.end_i < old.start_i or old.end_i < new.start_i for old in taken):
                taken.append(new)
        missing |= any(
            place == index and remark.startswith(("missing ", "lost ")) for place, remark in score.remarks
        )
    if missing:
        end = utf16_length(text)
        taken.append(MarkedSpan(end, end, "major", _category(protocol, "Omission")))
    return taken


def _severity(span: Span) -> str:
    return "minor" if span.severity == "minor" else "major"


def _category(protocol: Protocol, name: str) -> str | None:
    return f"Accuracy/{name}" if protocol == "MQM" else None


def _check(task: Task, item_id: str, random: Random) -> Item | None:
    """An attention check: the official translation, and the same with its middle from another segment.

    None if the set has no two texts that are long enough.
    """
    segments, texts = task.reference.segments, task.references
    long = [
        i for i, text in enumerate(texts) if len(text) >= _CHECK_CHARACTERS and segments[i].kind != "heading"
    ]
    if len(long) < 2:
        return None
    index, other = random.sample(long, 2)
    tgt = {INTACT: shown(texts[index]), DAMAGED: shown(_damaged(texts[index], texts[other]))}
    names = list(tgt)
    random.shuffle(names)
    return Item(
        item_id=item_id,
        src=shown(task.sources[index]),
        tgt={name: tgt[name] for name in names},
        validation={INTACT: {"score_greaterthan": DAMAGED}},
    )


def _damaged(text: str, other: str) -> str:
    """The text with its second and third quarter from `other`, cut at spaces where there are any."""
    space = " " if " " in text else ""
    words = text.split() if space else list(text)
    others = other.split() if space else list(other)
    quarter = max(1, len(words) // 4)
    return space.join([*words[:quarter], *others[: 2 * quarter], *words[3 * quarter :]])
