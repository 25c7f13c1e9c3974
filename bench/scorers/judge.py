"""A language model as judge: it marks errors and scores each translation, in the style of GEMBA.

ESA: error spans, then a score from 0 to 100 (GEMBA-ESA; Kocmi et al. 2024, arXiv 2406.11580). MQM: error spans,
weighted (GEMBA-MQM; Kocmi and Federmann 2023, arXiv 2310.13988). The prompts are in configs/metric/ and are ours.
The model is any adapter of a language model: an endpoint, or a checkpoint on this machine.

The score of a segment is the mean of its passes. A pass without a usable answer does not count; a segment without
any is unscored and does not count in the mean over segments, which is the score of the system. An empty hypothesis
has the worst score, and nobody is asked.

A translation may hold instructions to the judge. So the question comes first and the texts follow as JSON strings,
which no text can end (bench.scorers.judge_questions); an answer that the translation itself contains does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bench import limits, own_code, progress
from bench.adapters._language_model import CheckpointAdapter, LanguageModelAdapter, Response
from bench.adapters.factory import AdapterFactory
from bench.checkpoints.cache import cache_dir
from bench.core import Judging, Score, Scorer, Source, Span, Task, Unit, Weights, digest
from bench.endpoints import Endpoint
from bench.errors import BenchError
from bench.languages import DIRECTIONS, LANGUAGE_NAMES, Direction
from bench.prompt import format_fields
from bench.records import Line, Price
from bench.references.views import groups
from bench.scorers.judge_answers import WORST, Kind, Unusable, Verdict, merged, read
from bench.scorers.judge_kept import Answer, KeptAnswers
from bench.scorers.judge_questions import as_list, as_string
from bench.store.lock import exclusive_lease

_BATCH_TOKENS = 16_384
"""Of models on this machine that do not batch by themselves: prompts and answers."""
_PATIENCE = 86_400.0
"""Seconds to wait for another process that asks the same judge about the same set."""
_FIELDS = {"source", "hypothesis", "reference", "source_before", "hypothesis_before"}
_LANGUAGES = {"source_language", "target_language"}


class Judge(Scorer):
    """`name`: the column heading. `query`: what the model is asked, with {source} and {hypothesis}, and if wanted
    {reference}, {source_before}, {hypothesis_before}, {source_language} and {target_language}. A text is a JSON string,
    with its quotation marks. `context`: number of preceding segments of the document in {source_before} and
    {hypothesis_before}, which are lists of JSON strings. `passes`: answers per segment.
    `base_model`: what the model was made from, if its name does not say it. `price`: US dollars per million tokens.
    `required`: see bench.core.Scorer.
    """

    def __init__(
        self,
        name: Line,
        kind: Kind,
        query: str,
        model: AdapterFactory,
        context: Annotated[int, Meta(ge=0, le=limits.PREVIOUS_SEGMENTS)] = 2,
        passes: Annotated[int, Meta(ge=1, le=limits.PASSES)] = 1,
        base_model: Line = "",
        price: Price | None = None,
        required: bool = True,
    ) -> None:
        self.name, self.kind, self.query, self.model = name, kind, query, model
        self.context, self.passes, self.base_model, self.required = context, passes, base_model, required
        self.price = msgspec.convert(price, Price) if price else None
        if self.price and self.price.characters is not None:
            raise BenchError(f"{name} needs a price per million tokens: give input and output.")
        self._check_query()
        adapter = self._adapter(DIRECTIONS[0])
        self._check_passes(adapter)
        self.reproducible = isinstance(adapter, CheckpointAdapter)  # greedy, on this machine
        self.tolerance = 1e-6

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the judge is asked; None if it runs on this machine."""
        return getattr(self._adapter(DIRECTIONS[0]), "endpoint", None)

    def _check_query(self) -> None:
        try:
            used = format_fields(self.query)
        except ValueError:
            used = set()
        if not {"source", "hypothesis"} <= used or used - _FIELDS - _LANGUAGES:
            raise BenchError(
                f"The query of {self.name} must use {{source}} and {{hypothesis}}, and otherwise only "
                f"{{{'}, {'.join(sorted((_FIELDS | _LANGUAGES) - {'source', 'hypothesis'}))}}}; write other braces "
                "twice: correct its yaml."
            )

    def _check_passes(self, adapter: LanguageModelAdapter) -> None:
        """Raise BenchError if all passes would give the same answer."""
        if self.passes == 1:
            return
        if isinstance(adapter, CheckpointAdapter):
            raise BenchError(
                f"{self.name} decodes greedily on this machine, so that every pass gives the same answer: set "
                "passes=1."
            )
        options: Mapping[str, Any] = getattr(adapter, "options", {})
        if "seed" in options or options.get("temperature") == 0:
            raise BenchError(
                f"{self.name} has {self.passes} passes, but a seed or a temperature of 0 makes them alike: set "
                f"{self.model.key}.options.temperature=0.7, and leave out the seed."
            )

    def _adapter(self, direction: Direction) -> LanguageModelAdapter:
        adapter = self.model(direction)
        if not isinstance(adapter, LanguageModelAdapter):
            raise BenchError(
                f"{self.model.key} is not a language model: choose judge@{self.model.key}=openai."
            )
        return adapter

    def identity(self) -> dict[str, Any]:
        return {
            "scorer": "judge",
            "version": 2,
            "name": self.name,
            "kind": self.kind,
            "query": self.query,
            "context": self.context,
            "passes": self.passes,
            "model": self._model_identity(),
        }

    def _model_identity(self) -> Mapping[str, Any]:
        return own_code.identity(self._adapter(DIRECTIONS[0]))

    def needs(self) -> Sequence[Weights]:
        return self._adapter(DIRECTIONS[0]).needs()

    def prepare(self) -> None:
        """Raises BenchError if the model cannot be had: no file, no key."""
        adapter = self._adapter(DIRECTIONS[0])
        try:
            adapter.prepare()
            if self.endpoint:
                adapter.load()
        except BenchError as error:
            raise self.model.in_place(error) from None

    def score(self, task: Task, systems: Mapping[str, Sequence[str]], partial: Path) -> dict[str, Score]:
        """`partial` is not used: answers are kept in the user's cache, where other tasks find them too."""
        requests = {system: self._requests(task, hypotheses) for system, hypotheses in systems.items()}
        wanted = {
            self._key(text, number): text
            for texts in requests.values()
            for text in texts
            if text
            for number in range(self.passes)
        }
        answers, failures = self._answers(task, wanted)
        scores = {
            system: self._score(task, hypotheses, requests[system], answers, failures)
            for system, hypotheses in systems.items()
        }
        self._say_cost(list(answers.values()))
        return scores

    def _requests(self, task: Task, hypotheses: Sequence[str]) -> list[str]:
        """[segment]: the question about it; "" if there is nothing to judge."""
        number = {id: place for place, id in enumerate(task.ids)}
        requests = [""] * len(number)
        for document in groups(task.reference, "document").values():
            places = [number[segment.id] for segment in document]
            for position, place in enumerate(places):
                if not hypotheses[place].strip():
                    continue
                before = places[max(0, position - self.context) : position]
                requests[place] = self.query.format(
                    source=as_string(task.sources[place]),
                    hypothesis=as_string(hypotheses[place]),
                    reference=as_string(task.references[place]),
                    source_before=as_list([task.sources[n] for n in before]),
                    hypothesis_before=as_list([hypotheses[n] for n in before]),
                    source_language=LANGUAGE_NAMES[task.source_language],
                    target_language=LANGUAGE_NAMES[task.target_language],
                )
        return requests

    def _key(self, request: str, number: int) -> str:
        return digest([request, number])

    def _answers(self, task: Task, wanted: Mapping[str, str]) -> tuple[dict[str, Answer], dict[str, str]]:
        """Key -> answer, and key -> why there is none. A second process that judges the same set waits, and then
        finds the answers of the first."""
        kept = KeptAnswers(cache_dir() / "judges" / f"{digest(self._model_identity())[:16]}.sqlite")
        answers = kept.read(wanted)
        if answers.keys() == wanted.keys():
            return answers, {}
        question = digest([self.query, self.context, task.direction, task.reference.sha256])[:16]
        lock = kept.path.with_name(f"{kept.path.stem}-{question}.lock")
        with exclusive_lease(lock, f"{self.name} {task.direction}", _PATIENCE):
            answers = kept.read(wanted)
            missing = [(Source(key, text),) for key, text in wanted.items() if key not in answers]
            failures: dict[str, str] = {}
            for key, answer in self._ask(task.direction, missing):
                if isinstance(answer, str):
                    failures[key] = answer
                else:
                    kept.keep(key, answer)
                    answers[key] = answer
        return answers, failures

    def _ask(self, direction: Direction, units: Sequence[Unit]) -> Iterator[tuple[str, Answer | str]]:
        """Key, and the answer or why there is none, as soon as it arrives."""
        if not units:
            return
        adapter = self._adapter(direction)
        try:
            adapter.load()
            with progress.bar(f"{self.name} {direction}", total=len(units), unit="requests") as advance:
                for batch in _batches(adapter, units):
                    for (source,), response in adapter.respond(batch):
                        yield source.id, response.error or _answer(adapter, response)
                        advance()
        except BenchError as error:
            raise self.model.in_place(error) from None

    def _score(
        self,
        task: Task,
        hypotheses: Sequence[str],
        requests: Sequence[str],
        answers: Mapping[str, Answer],
        failures: Mapping[str, str],
    ) -> Score:
        values: list[float | None] = []
        spans: list[tuple[Span, ...]] = []
        remarks: list[tuple[int, str]] = []
        unscored: list[tuple[int, str]] = []
        used: dict[str, Answer] = {}
        asked: set[str] = set()
        for place, (source, hypothesis, request) in enumerate(
            zip(task.sources, hypotheses, requests, strict=True)
        ):
            if not request:
                values.append(WORST[self.kind])
                spans.append(())
                remarks.append((place, "empty"))
                continue
            keys = [self._key(request, number) for number in range(self.passes)]
            used |= {key: answers[key] for key in keys if key in answers}
            asked.update(keys)
            verdicts, reasons = self._verdicts(keys, answers, failures, source, hypothesis)
            spans.append(tuple(merged(verdicts)))
            remarks += [(place, text) for text in dict.fromkeys(t for v in verdicts for t in v.remarks)]
            if not verdicts:
                values.append(None)
                unscored.append((place, reasons[0]))
                continue
            values.append(sum(verdict.score for verdict in verdicts) / len(verdicts))
            if reasons:
                remarks.append((place, f"{len(verdicts)} of {self.passes} passes ({reasons[0]})"))
        known = [value for value in values if value is not None]
        if not known:
            advice = (
                "choose another model, or correct its settings"
                if used or not self.endpoint
                else f"see whether {self.endpoint.base_url} answers, or correct {self.model.key}.base_url"
            )
            raise BenchError(
                f"{self.name} gave no usable answer about any segment (the first: {unscored[0][1]}): {advice}."
            )
        judging = self._judging(list(used.values()), len(asked - used.keys()))
        return Score(
            metric=self.name,
            value=sum(known) / len(known),
            interval=None,
            signature=self._signature(judging.model),
            segments=tuple(values),
            remarks=tuple(remarks),
            spans=tuple(spans) if any(spans) else (),
            aggregation="mean",
            unscored=tuple(unscored),
            cost_usd=self._cost(judging),
            judging=judging,
        )

    def _verdicts(
        self,
        keys: Sequence[str],
        answers: Mapping[str, Answer],
        failures: Mapping[str, str],
        source: str,
        hypothesis: str,
    ) -> tuple[list[Verdict], list[str]]:
        """The usable passes, and what is wrong with the others."""
        verdicts, reasons = [], []
        for key in keys:
            answer = answers.get(key)
            try:
                if answer is None:
                    raise Unusable(failures[key])
                if answer.problem:
                    raise Unusable(answer.problem)
                verdicts.append(read(answer.text, self.kind, source, hypothesis))
            except Unusable as reason:
                reasons.append(str(reason))
        return verdicts, reasons

    def _judging(self, used: Sequence[Answer], unanswered: int) -> Judging:
        adapter = self._adapter(DIRECTIONS[0])
        weights = adapter.needs()[0] if adapter.needs() else None
        model = str(getattr(adapter, "model", "")) or (
            weights.file or str(weights.sources[0].get("hub") or Path(weights.sources[0]["path"]).name)
            if weights
            else "unknown"
        )
        return Judging(
            model,
            self.base_model,
            len(used),
            unanswered,
            sum(answer.tokens_in for answer in used),
            sum(answer.tokens_out for answer in used),
        )

    def _cost(self, judging: Judging) -> float | None:
        if self.price is None:
            return None
        return round(self.price.cost(judging.tokens_in, judging.tokens_out, characters=0), 6)

    def _signature(self, model: str) -> str:
        prompt = hashlib.sha256(self.query.encode()).hexdigest()[:12]
        reference = "yes" if "reference" in format_fields(self.query) else "no"
        return (
            f"{self.name}|judge:{model}@{digest(self._model_identity())[:12]}|prompt:{prompt}|reference:{reference}"
            f"|context:{self.context}|passes:{self.passes}|aggregation:mean"
            f"|reproducible:{'yes' if self.reproducible else 'no'}|version:2"
        )

    def _say_cost(self, answers: Sequence[Answer]) -> None:
        judging = self._judging(answers, 0)
        cost = self._cost(judging)
        paid = f", {cost:.4f} US dollars" if cost is not None else ""
        progress.say(
            f"{self.name}: {len(answers):,} answers, {judging.tokens_in + judging.tokens_out:,} tokens{paid}, "
            "those of earlier runs included."
        )


def _batches(adapter: LanguageModelAdapter, units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """Units of similar cost together; all at once if the engine does its own batching."""
    costs = sorted(((adapter.batch_cost(unit), unit) for unit in units), key=lambda entry: -entry[0])
    while costs:
        most = costs[0][0]
        size = max(1, _BATCH_TOKENS // most) if most else len(costs)
        yield [unit for _, unit in costs[:size]]
        del costs[:size]


def _answer(adapter: LanguageModelAdapter, response: Response) -> Answer:
    """Without the key, if the server repeated it."""
    endpoint = getattr(adapter, "endpoint", None)
    text = endpoint.without_key(response.text) if isinstance(endpoint, Endpoint) else response.text
    problem = ""
    if response.refused:
        problem = "the judge refused to answer"
    elif response.prompt_cut:
        problem = "the server cut the question off"
    elif response.truncated:
        problem = "the answer was cut off at the limit of tokens"
    return Answer(text, response.tokens_in, response.tokens_out, problem)
