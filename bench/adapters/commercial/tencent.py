"""Tencent Machine Translation (cloud.tencent.com/document/api/551/15619, tencentcloud.com/document/api/1161/50435)."""

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
    "AuthFailure": "key",
    "AuthFailure.SignatureExpire": "clock",
    "AuthFailure.UnauthorizedOperation": "access",
    "UnauthorizedOperation": "access",
    "FailedOperation.NoFreeAmount": "credit",
    "FailedOperation.ServiceIsolate": "credit",
    "FailedOperation.StopUsing": "credit",
    "FailedOperation.UserNotRegistered": "access",
    "FailedOperation.ErrorUserArea": "access",
    "UnsupportedRegion": "access",
    "InternalError": "later",
    "InvalidParameter": "options",
    "InvalidParameterValue": "options",
    "MissingParameter": "options",
    "UnknownParameter": "options",
    "LimitExceeded": "later",
    "RequestLimitExceeded": "later",
    "UnsupportedOperation.TextTooLong": "length",
    "UnsupportedOperation.UnsupportedLanguage": "language",
    "UnsupportedOperation.UnsupportedSourceLanguage": "language",
    "UnsupportedOperation.UnSupportedTargetLanguage": "language",
}
"""Code, or its first part -> cause."""


class Tencent(Service):
    """`options`: `TermRepoIDList` names glossaries of the account."""

    service = "tencent"
    address = "https://tmt.tencentcloudapi.com"
    secret = "TENCENTCLOUD_SECRET_KEY"
    key_id = "TENCENTCLOUD_SECRET_ID"
    fields = frozenset({"ProjectId", "SentRepoIDList", "TermRepoIDList", "UntranslatedText"})
    most = 2_000  # of the international service; in China 6,000

    def __init__(
        self,
        region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,40}\Z")] = "ap-guangzhou",
        **settings: Annotated[Any, Service],
    ) -> None:
        super().__init__(**settings)
        self.region = region

    def request(self, text: str) -> Request:
        fields = {
            "SourceText": text,
            "Source": self.source_code,
            "Target": self.target_code,
            "ProjectId": 0,
            **self.options,
        }
        body = json.dumps(fields).encode()
        now = datetime.now(timezone.utc)
        headers = {"Content-Type": "application/json", "Host": self.host}
        signature = signatures.tencent(headers, body, self.secrets, now)
        headers |= {
            "X-TC-Action": "TextTranslate",
            "X-TC-Version": "2018-03-21",
            "X-TC-Region": self.region,
            "X-TC-Timestamp": str(int(now.timestamp())),
        }
        return Request("/", body, {**headers, "Authorization": signature})

    def read(self, answer: Any, reply: Reply) -> Translation:
        response = answer["Response"]
        return Translation(response["TargetText"], response.get("UsedAmount"))

    def fault(self, answer: Any, status: int) -> Fault | None:
        error = answer["Response"].get("Error")
        if not error:
            return None
        code = str(error["Code"])
        cause = _CAUSES.get(code) or _CAUSES.get(code.partition(".")[0])
        return Fault(code, str(error.get("Message", "")), cause)
