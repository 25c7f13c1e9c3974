"""Alibaba Cloud Machine Translation, general edition (help.aliyun.com/zh/machine-translation/developer-reference/
api-alimt-2018-10-12-translategeneral)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from bench.adapters.commercial import signatures
from bench.adapters.commercial.http import FORM, Reply, Request
from bench.adapters.commercial.service import Cause, Fault, Service, Translation

_CAUSES: Mapping[str, Cause] = {
    "10001": "later",
    "10002": "later",
    "10004": "options",
    "10005": "language",
    "10008": "length",
    "19999": "later",
    "InvalidAccessKeyId": "key",
    "InvalidSecurityToken": "key",
    "SignatureDoesNotMatch": "key",
    "IncompleteSignature": "key",
    "InvalidTimeStamp": "clock",
    "Forbidden": "access",
    "NoPermission": "access",
    "Throttling": "later",
    "ServiceUnavailable": "later",
    "InternalError": "later",
}
"""Code, or its first part ("Throttling.User") -> cause. Numbers are the service's own codes, the others are those of
all services of Alibaba Cloud."""


class Alibaba(Service):
    service = "alibaba"
    address = "https://mt.cn-hangzhou.aliyuncs.com"
    secret = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    key_id = "ALIBABA_CLOUD_ACCESS_KEY_ID"
    fields = frozenset({"Context"})
    most = 5_000  # as Java counts: String.length()

    def size(self, text: str) -> int:
        return len(text.encode("utf-16-le", "replace")) // 2

    def request(self, text: str) -> Request:
        fields = {
            "FormatType": "text",
            "Scene": "general",
            "SourceLanguage": self.source_code,
            "SourceText": text,
            "TargetLanguage": self.target_code,
            **self.texts_of_options(),
        }
        body = urlencode(fields, errors="replace").encode()
        headers = {
            "Host": self.host,
            "Content-Type": FORM,
            "x-acs-action": "TranslateGeneral",
            "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
            "x-acs-date": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-version": "2018-10-12",
        }
        signature = signatures.alibaba("", headers, body, self.secrets)
        return Request("/", body, {**headers, "Authorization": signature})

    def read(self, answer: Any, reply: Reply) -> Translation:
        counted = str(answer["Data"].get("WordCount") or "")
        return Translation(answer["Data"]["Translated"], int(counted) if counted.isdecimal() else None)

    def fault(self, answer: Any, status: int) -> Fault | None:
        code = str(answer["Code"])
        if code == "200":
            return None
        cause = _CAUSES.get(code) or _CAUSES.get(code.partition(".")[0])
        return Fault(code, str(answer.get("Message") or ""), cause)
