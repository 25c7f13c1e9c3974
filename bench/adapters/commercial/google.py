"""Google Cloud Translation: Basic (v2, with an API key) and Advanced (v3, with an access token and glossaries).

cloud.google.com/translate/docs/reference/rest/v2/translate, …/rest/v3/projects.locations/translateText.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from bench import limits
from bench.adapters.commercial.http import Reply, Request, json_request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_REASONS: Mapping[str, Cause] = {
    "API_KEY_INVALID": "key",
    "keyInvalid": "key",
    "authError": "key",
    "ACCESS_TOKEN_EXPIRED": "key",
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": "key",
    "dailyLimitExceeded": "credit",
    "quotaExceeded": "credit",
    "BILLING_DISABLED": "credit",
    "userRateLimitExceeded": "later",
    "rateLimitExceeded": "later",
    "RATE_LIMIT_EXCEEDED": "later",
    "SERVICE_DISABLED": "access",
    "accessNotConfigured": "access",
    "API_KEY_SERVICE_BLOCKED": "access",
}
_MESSAGES: Mapping[str, Cause] = {
    "api key not valid": "key",
    "daily limit exceeded": "credit",
    "user rate limit exceeded": "later",
    "bad language pair": "language",
    "language pair": "language",
    "glossary": "glossary",
    "too long": "length",
    "too large": "length",
}


class Google(Service):
    """Basic: `options` may hold `model`."""

    service = "google"
    address = "https://translation.googleapis.com"
    secret = "GOOGLE_API_KEY"
    most = 5_000  # the documentation recommends no longer texts
    fields = frozenset({"model"})

    def request(self, text: str) -> Request:
        fields = {
            "q": [text],
            "source": self.source_code,
            "target": self.target_code,
            "format": "text",  # else HTML, with &#39; for an apostrophe
            **self.options,
        }
        # In a header, since addresses are shown in messages and logs.
        return json_request("/language/translate/v2", fields, {"X-goog-api-key": self.endpoint.key})

    def read(self, answer: Any, reply: Reply) -> Translation:
        (translation,) = answer["data"]["translations"]
        return Translation(translation["translatedText"], model=translation.get("model", ""))

    def fault(self, answer: Any, status: int) -> Fault | None:
        if not isinstance(answer, dict) or "error" not in answer:
            return None
        error = answer["error"]
        message = str(error.get("message", ""))
        listed = [*(error.get("errors") or ()), *(error.get("details") or ())]
        reasons = [str(entry.get("reason", "")) for entry in listed if isinstance(entry, dict)]
        causes = [_REASONS[reason] for reason in reasons if reason in _REASONS]
        causes += [cause for words, cause in _MESSAGES.items() if words in message.lower()]
        return Fault(str(error.get("code", status)), message, causes[0] if causes else None)


class GoogleAdvanced(Google):
    """`project`: id of the Google Cloud project. `location`: "global", or where the glossary is. `model`: its path
    after the location, as in "general/translation-llm"; "" for the service's own choice. The glossary is an id.

    The key is an access token, which ends after an hour: `gcloud auth print-access-token`.
    """

    secret = "GOOGLE_ACCESS_TOKEN"
    has_glossary = True
    fields = frozenset({"labels", "transliterationConfig"})

    def __init__(
        self,
        project: Annotated[str, Meta(pattern=r"^[A-Za-z0-9.:-]{1,100}\Z")],
        location: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z")] = "global",
        model: Annotated[str, Meta(max_length=limits.LINE_CHARACTERS)] = "",
        **settings: Annotated[Any, Service],
    ) -> None:
        super().__init__(**settings)
        self.place = f"projects/{project}/locations/{location}"
        self.project = project
        self.model = model

    def settings(self) -> dict[str, Any]:
        return {"api": "v3", "model": self.model}

    def request(self, text: str) -> Request:
        fields: dict[str, Any] = {
            "contents": [text],
            "mimeType": "text/plain",
            "sourceLanguageCode": self.source_code,
            "targetLanguageCode": self.target_code,
        }
        if self.model:
            fields["model"] = f"{self.place}/models/{self.model}"
        if self.glossary:
            fields["glossaryConfig"] = {"glossary": f"{self.place}/glossaries/{self.glossary}"}
        headers = {"Authorization": f"Bearer {self.endpoint.key}", "x-goog-user-project": self.project}
        return json_request(f"/v3/{self.place}:translateText", {**fields, **self.options}, headers)

    def read(self, answer: Any, reply: Reply) -> Translation:
        (translation,) = answer["glossaryTranslations" if self.glossary else "translations"]
        return Translation(translation["translatedText"], model=translation.get("model", ""))
