"""Microsoft (Azure) Translator 3.0 (learn.microsoft.com/azure/ai-services/translator/text-translation/reference/v3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta

from bench.adapters.commercial.http import Reply, Request, json_request
from bench.adapters.commercial.pieces import Piece
from bench.adapters.commercial.service import Cause, Fault, Service, Translation
from bench.core import Context, Source
from bench.languages import Language

_CAUSES: Mapping[str, Cause] = {
    "400019": "language",  # a language code is not valid
    "400023": "language",
    "400035": "language",  # the source language is not valid
    "400036": "language",  # the target language is missing or not valid
    "400002": "options",  # category
    "400042": "options",
    "400050": "length",
    "400075": "options",  # no such category for these languages
    "400077": "length",
    "400079": "options",  # no such system of Custom Translator
    "403000": "access",
    "403001": "credit",  # the free quota of the subscription is used up
}


class Microsoft(Service):
    """`region`: of the Azure resource, unless it is a global one. `options` are parameters of the query: `category`
    names a system of Custom Translator. `terms`: "official" marks the terms of the set's terms.tsv in each text, for
    the service's dynamic dictionary; what is marked is billed, too."""

    service = "microsoft"
    address = "https://api.cognitive.microsofttranslator.com"
    secret = "AZURE_TRANSLATOR_KEY"
    most = 50_000
    fields = frozenset(
        "allowFallback category fromScript includeAlignment includeSentenceLength profanityAction profanityMarker "
        "toScript".split()
    )

    def __init__(
        self,
        region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{0,40}\Z")] = "",
        terms: Literal["none", "official"] = "none",
        **settings: Annotated[Any, Service],
    ) -> None:
        super().__init__(**settings)
        self.region = region
        self.terms: Literal["none", "official"] = terms

    @property
    def context(self) -> Context:
        return Context(glossary=self.terms)

    def settings(self) -> dict[str, Any]:
        return {"terms": self.terms} if self.terms != "none" else {}

    def pieces(self, source: Source) -> list[Piece]:
        parts = super().pieces(source)
        return [replace(part, text=_marked(part.text, source.terms, self.source_language)) for part in parts]

    def request(self, text: str) -> Request:
        query = {
            "api-version": "3.0",
            "from": self.source_code,
            "to": self.target_code,
            **self.texts_of_options(),
        }
        headers = {"Ocp-Apim-Subscription-Key": self.endpoint.key}
        if self.region:
            headers["Ocp-Apim-Subscription-Region"] = self.region
        return json_request("/translate", [{"Text": text}], headers, query)

    def read(self, answer: Any, reply: Reply) -> Translation:
        (result,) = answer
        (translation,) = result["translations"]
        metered = str(reply.headers.get("x-metered-usage", ""))
        return Translation(translation["text"], int(metered) if metered.isdecimal() else None)

    def fault(self, answer: Any, status: int) -> Fault | None:
        if status < 400:
            return None
        # Without a valid key, the answer may have no body.
        error = answer.get("error") or {} if isinstance(answer, dict) else {}
        code, message = str(error.get("code", status)), str(error.get("message", ""))
        if code.startswith("401") and not self.region:
            message += "; a resource of one region also needs system.adapter.region"
        return Fault(code, message, _CAUSES.get(code))


def _marked(text: str, terms: Sequence[tuple[str, str]], language: Language) -> str:
    """The text with its terms marked, the longest first, where they stand in their official form: the dictionary
    knows no other. Terms with characters that the mark itself has are left out."""
    translations = {term: other for term, other in terms if not re.search(r'[<>&"]', term + other)}
    if not translations:
        return text
    ends = (r"(?<!\w)", r"(?!\w)") if language == "en" else ("", "")
    forms = "|".join(re.escape(term) for term in sorted(translations, key=len, reverse=True))
    return re.sub(
        f"{ends[0]}(?:{forms}){ends[1]}",
        lambda found: (
            f'<mstrans:dictionary translation="{translations[found[0]]}">{found[0]}</mstrans:dictionary>'
        ),
        text,
    )
