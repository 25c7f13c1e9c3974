"""Amazon Translate (docs.aws.amazon.com/translate/latest/APIReference/API_TranslateText.html)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any

from msgspec import Meta

from bench.adapters.commercial import signatures
from bench.adapters.commercial.http import Reply, Request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_CAUSES: Mapping[str, Cause] = {
    "UnrecognizedClientException": "key",
    "InvalidClientTokenId": "key",
    "InvalidSignatureException": "key",
    "IncompleteSignatureException": "key",
    "MissingAuthenticationTokenException": "key",
    "ExpiredTokenException": "key",
    "AccessDeniedException": "access",
    "SubscriptionRequiredException": "access",
    "OptInRequired": "access",
    "UnsupportedLanguagePairException": "language",
    "ResourceNotFoundException": "glossary",
    "TextSizeLimitExceededException": "length",
    "ThrottlingException": "later",
    "TooManyRequestsException": "later",
    "LimitExceededException": "later",
    "RequestExpired": "clock",
    "InternalServerException": "later",
    "ServiceUnavailableException": "later",
}


class Amazon(Service):
    """The glossary is the name of a custom terminology. With temporary keys, AWS_SESSION_TOKEN is read, too."""

    service = "amazon"
    address = "https://translate.{region}.amazonaws.com"
    secret = "AWS_SECRET_ACCESS_KEY"
    key_id = "AWS_ACCESS_KEY_ID"
    most = 10_000  # bytes
    has_glossary = True
    fields = frozenset({"Settings"})

    def __init__(
        self,
        region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z")] = "us-east-1",
        **settings: Annotated[Any, Service],
    ) -> None:
        self.address = Amazon.address.format(region=region)
        super().__init__(**settings)
        self.region = region
        self.token = ""

    def size(self, text: str) -> int:
        return len(text.encode("utf-8", "replace"))

    def load(self) -> None:
        super().load()
        self.token = self.endpoint.read_secret("AWS_SESSION_TOKEN")

    def request(self, text: str) -> Request:
        fields = {
            "Text": text,
            "SourceLanguageCode": self.source_code,
            "TargetLanguageCode": self.target_code,
            **({"TerminologyNames": [self.glossary]} if self.glossary else {}),
            **self.options,
        }
        body = json.dumps(fields).encode()
        now = datetime.now(timezone.utc)
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Host": self.host,
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Amz-Target": "AWSShineFrontendService_20170701.TranslateText",
            **({"X-Amz-Security-Token": self.token} if self.token else {}),
        }
        signature = signatures.amazon("/", headers, body, self.secrets, self.region, now)
        return Request("/", body, {**headers, "Authorization": signature})

    def read(self, answer: Any, reply: Reply) -> Translation:
        return Translation(answer["TranslatedText"])

    def fault(self, answer: Any, status: int) -> Fault | None:
        if status < 400:
            return None
        code = str(answer["__type"]).rpartition("#")[2]
        message = str(answer.get("message") or answer.get("Message") or "")
        cause = _CAUSES.get(code)
        if code == "InvalidSignatureException" and "expired" in message.lower():
            cause = "clock"
        return Fault(code, message, cause)
