"""DeepL (developers.deepl.com/api-reference/translate)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from bench.adapters.commercial.http import Reply, Request, json_request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_CAUSES: Mapping[int, Cause] = {403: "key", 456: "credit", 413: "length"}


class DeepL(Service):
    """A key that ends in ":fx" is for the free plan, which has an address of its own."""

    service = "deepl"
    address = "https://api.deepl.com"
    secret = "DEEPL_AUTH_KEY"
    most = 20_000  # a request has at most 128 KiB, and JSON may take six bytes for a character
    has_glossary = True
    fields = frozenset(
        "context custom_instructions enable_beta_languages formality ignore_tags model_type non_splitting_tags "
        "outline_detection preserve_formatting split_sentences splitting_tags style_id tag_handling "
        "tag_handling_version".split()
    )

    def __init__(self, **settings: Annotated[Any, Service]) -> None:
        if os.environ.get(self.secret, "").strip().endswith(":fx"):
            self.address = "https://api-free.deepl.com"
        super().__init__(**settings)

    def request(self, text: str) -> Request:
        fields = {
            "text": [text],
            "source_lang": self.source_code,
            "target_lang": self.target_code,
            "show_billed_characters": True,
            **({"glossary_id": self.glossary} if self.glossary else {}),
            **self.options,
        }
        return json_request("/v2/translate", fields, {"Authorization": f"DeepL-Auth-Key {self.endpoint.key}"})

    def read(self, answer: Any, reply: Reply) -> Translation:
        (translation,) = answer["translations"]
        billed, model = translation.get("billed_characters"), translation.get("model_type_used", "")
        return Translation(translation["text"], billed, model)

    def fault(self, answer: Any, status: int) -> Fault | None:
        if status < 400:
            return None
        message = (
            f"{answer.get('message', '')} {answer.get('detail', '')}" if isinstance(answer, dict) else ""
        )
        cause = _CAUSES.get(status)
        if "glossary" in message.lower():
            cause = "glossary"
        elif "_lang'" in message:  # "Value for 'target_lang' not supported."
            cause = "language"
        return Fault(str(status), message, cause)
