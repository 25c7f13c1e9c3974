"""Youdao (ai.youdao.com/DOCSIRMA/html/trans/api/wbfy/index.html)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from bench.adapters.commercial import signatures
from bench.adapters.commercial.http import Reply, Request, form_request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_CAUSES: Mapping[str, Cause] = {
    "101": "options",
    "102": "language",
    "103": "length",
    "108": "key",  # unknown application id
    "110": "access",  # the application has no instance of the service
    "111": "key",
    "112": "access",
    "202": "key",  # wrong signature
    "203": "access",  # the address of this machine is not on the account's list
    "206": "clock",
    "303": "later",
    "401": "credit",
    "411": "later",  # too many requests
    "412": "later",  # too many long requests
}


class Youdao(Service):
    """The glossary is the id of a user dictionary (`vocabId`)."""

    service = "youdao"
    address = "https://openapi.youdao.com"
    secret = "YOUDAO_APP_SECRET"
    key_id = "YOUDAO_APP_KEY"
    most = 5_000
    fields = frozenset({"domain", "ext", "rejectFallback", "strict", "voice"})
    has_glossary = True

    def request(self, text: str) -> Request:
        text = text.encode("utf-8", "replace").decode()  # as it is sent
        salt, seconds = uuid.uuid4().hex, str(int(time.time()))
        fields = {
            "q": text,
            "from": self.source_code,
            "to": self.target_code,
            "appKey": self.id,
            "salt": salt,
            "sign": signatures.youdao(text, salt, seconds, self.secrets),
            "signType": "v3",
            "curtime": seconds,
            **({"vocabId": self.glossary} if self.glossary else {}),
            **self.texts_of_options(),
        }
        return form_request("/api", fields)

    def read(self, answer: Any, reply: Reply) -> Translation:
        return Translation("\n".join(answer["translation"]))

    def fault(self, answer: Any, status: int) -> Fault | None:
        code = str(answer["errorCode"])
        return None if code == "0" else Fault(code, str(answer.get("msg", "")), _CAUSES.get(code))
