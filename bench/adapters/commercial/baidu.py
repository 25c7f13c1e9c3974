"""Baidu Translate, general text (fanyi-api.baidu.com/doc/21)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from bench.adapters.commercial import signatures
from bench.adapters.commercial.http import Reply, Request, form_request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_CAUSES: Mapping[str, Cause] = {
    "52001": "later",
    "52002": "later",
    "52003": "key",  # unknown application id, or the service is not activated
    "54000": "options",
    "54001": "key",  # wrong signature
    "54003": "later",  # too many requests per second
    "54004": "credit",
    "54005": "later",  # too many long requests: wait three seconds
    "58000": "access",  # the address of this machine is not on the account's list
    "58001": "language",
    "58002": "access",
    "90107": "access",
}


class Baidu(Service):
    """`options`: `needIntervene: 1` uses the account's glossary."""

    service = "baidu"
    address = "https://fanyi-api.baidu.com"
    secret = "BAIDU_TRANSLATE_SECRET"
    key_id = "BAIDU_TRANSLATE_APP_ID"
    most = 1_000  # of the standard edition; its notice of August 2022
    fields = frozenset({"action", "dict", "needIntervene", "tts"})

    def request(self, text: str) -> Request:
        text = text.encode("utf-8", "replace").decode()  # as it is sent
        salt = uuid.uuid4().hex
        fields = {
            "q": text,
            "from": self.source_code,
            "to": self.target_code,
            "appid": self.id,
            "salt": salt,
            "sign": signatures.baidu(text, salt, self.secrets),
            **self.texts_of_options(),
        }
        return form_request("/api/trans/vip/translate", fields)

    def read(self, answer: Any, reply: Reply) -> Translation:
        """The service translates each line of a text on its own, and leaves out blank ones."""
        return Translation("\n".join(line["dst"] for line in answer["trans_result"]))

    def fault(self, answer: Any, status: int) -> Fault | None:
        code = str(answer.get("error_code", "52000"))
        if code == "52000":
            return None
        message = re.sub(r"\s+", " ", str(answer.get("error_msg", "")))
        return Fault(code, message, _CAUSES.get(code))
