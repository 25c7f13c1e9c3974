"""Servers that speak the protocols of commercial services as their documentation describes them.

They check keys and signatures on their own: nothing here is imported from bench. Official SDKs get their
translations, and their own error for a wrong key, from these servers: deepl 1.32.0, google-cloud-translate 3.28.0 (v2),
azure-ai-translation-text 1.0.1, botocore 1.44.8, alibabacloud-alimt20181012 1.5.2, tencentcloud-sdk-python-common
3.1.195. Baidu and Youdao publish examples only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

KEY_ID = "id-of-the-test-key"
SECRET = "secret-of-the-test-kQ7vZp2LxW9mTd"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    """JSON; bytes are sent as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request that the server has received and accepted."""

    text: str
    source: str
    target: str
    fields: Mapping[str, Any]
    """Everything that was sent besides headers."""
    headers: Mapping[str, str]
    """By their lower-case names."""


@dataclass(frozen=True)
class Raw:
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True))


Checked = Call | Answer


@dataclass(frozen=True)
class Protocol:
    check: Callable[[Raw, set[str]], Checked]
    """The call, or the answer that refuses it. The set holds the nonces that were used before."""
    good: Callable[[str, Call], Answer]
    """The answer with a translation."""
    errors: Mapping[str, Answer]
    """By what they mean to bench: quota, later, language, text …"""
    limit: int
    """The longest text of a request, in the service's own unit."""
    size: Callable[[str], int] = len


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _canonical(raw: Raw, names: str) -> str:
    """The canonical request that AWS, Tencent and Alibaba all sign."""
    lines = "".join(f"{name}:{raw.headers[name].strip()}\n" for name in names.split(";"))
    query = "&".join(
        sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in parse_qsl(raw.query))
    )
    digest = hashlib.sha256(raw.body).hexdigest()
    return hashlib.sha256(f"POST\n{raw.path}\n{query}\n{lines}\n{names}\n{digest}".encode()).hexdigest()


def _is_now(at: datetime, minutes: float) -> bool:
    return abs((datetime.now(timezone.utc) - at).total_seconds()) < 60 * minutes


# DeepL


def _check_deepl(raw: Raw, used: set[str]) -> Checked:
    if raw.headers.get("authorization") != f"DeepL-Auth-Key {SECRET}":
        return Answer(403, b"")  # without a body, as the service does
    if raw.path != "/v2/translate" or len(raw.body) > 128 * 1024:
        return Answer(413 if raw.path == "/v2/translate" else 404, {"message": "Not found"})
    fields = raw.json()
    if fields["source_lang"] not in ("ZH", "EN") or fields["target_lang"] not in (
        "EN-US", "EN-GB", "ZH", "ZH-HANS", "ZH-HANT",
    ):  # fmt: skip
        return Answer(400, {"message": "Value for 'target_lang' not supported."})
    (text,) = fields["text"]
    return Call(text, fields["source_lang"], fields["target_lang"], fields, raw.headers)


def _good_deepl(text: str, call: Call) -> Answer:
    translation: dict[str, Any] = {"detected_source_language": call.source, "text": text}
    if call.fields.get("show_billed_characters"):
        translation["billed_characters"] = len(call.text)
    if call.fields.get("model_type"):
        translation["model_type_used"] = call.fields["model_type"]
    return Answer(body={"translations": [translation]})


# Google


def _check_google(raw: Raw, used: set[str]) -> Checked:
    if raw.headers.get("x-goog-api-key") != SECRET and parse_qs(raw.query).get("key") != [SECRET]:
        return _google(
            400, "API key not valid. Please pass a valid API key.", "badRequest", "API_KEY_INVALID"
        )
    fields = raw.json()
    if raw.path != "/language/translate/v2" or len(raw.body) > 100_000:
        return _google(400, "Request payload size exceeds the limit", "badRequest")
    if fields.get("format") != "text":
        return Answer(body={"data": {"translations": [{"translatedText": "&#39;"}]}})
    if {fields["source"], fields["target"]} - {"en", "zh-CN", "zh-TW", "zh"}:
        return _google(400, "Bad language pair: xx|en", "badRequest")
    (text,) = fields["q"]
    return Call(text, fields["source"], fields["target"], fields, raw.headers)


def _google(code: int, message: str, reason: str, detail: str = "") -> Answer:
    error: dict[str, Any] = {
        "code": code,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": reason}],
        "status": "INVALID_ARGUMENT" if code == 400 else "PERMISSION_DENIED",
    }
    if detail:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": detail}]
    return Answer(code, {"error": error})


def _good_google(text: str, call: Call) -> Answer:
    return Answer(body={"data": {"translations": [{"translatedText": text, "model": "nmt"}]}})


def _check_google_advanced(raw: Raw, used: set[str]) -> Checked:
    if raw.headers.get("authorization") != f"Bearer {SECRET}":
        message = "Request had invalid authentication credentials."
        error = {"code": 401, "message": message, "status": "UNAUTHENTICATED", "details": []}
        return Answer(401, {"error": error})
    if not re.fullmatch(r"/v3/projects/my-project/locations/[a-z0-9-]+:translateText", raw.path):
        return Answer(404, {"error": {"code": 404, "message": "Not found", "status": "NOT_FOUND"}})
    fields = raw.json()
    if fields["mimeType"] != "text/plain" or sum(map(len, fields["contents"])) > 30_000:
        return _google(400, "Text is too long.", "badRequest")
    (text,) = fields["contents"]
    return Call(text, fields["sourceLanguageCode"], fields["targetLanguageCode"], fields, raw.headers)


def _good_google_advanced(text: str, call: Call) -> Answer:
    translations = [{"translatedText": text, "model": "projects/1/locations/global/models/general/nmt"}]
    if "glossaryConfig" in call.fields:
        glossary = [{"translatedText": f"{text} (glossary)", "glossaryConfig": call.fields["glossaryConfig"]}]
        return Answer(body={"translations": translations, "glossaryTranslations": glossary})
    return Answer(body={"translations": translations})


# Microsoft


def _check_microsoft(raw: Raw, used: set[str]) -> Checked:
    if raw.headers.get("ocp-apim-subscription-key") != SECRET:
        return _microsoft(401000, "The request is not authorized because credentials are missing or invalid.")
    query = dict(parse_qsl(raw.query))
    if raw.path != "/translate" or query.get("api-version") != "3.0":
        return _microsoft(400021, "The API version parameter is missing or invalid.")
    if query["from"] not in ("en", "zh-Hans", "zh-Hant"):
        return _microsoft(400035, "The source language is not valid.")
    if query["to"] not in ("en", "zh-Hans", "zh-Hant"):
        return _microsoft(400036, "The target language is not valid.")
    (element,) = raw.json()
    text = element.get("Text", element.get("text"))  # both are accepted, as the official SDK shows
    if len(text) > 50_000:
        return _microsoft(400077, "The maximum request size has been exceeded.")
    return Call(text, query["from"], query["to"], query, raw.headers)


def _microsoft(code: int, message: str) -> Answer:
    return Answer(code // 1000, {"error": {"code": code, "message": message}})


def _good_microsoft(text: str, call: Call) -> Answer:
    translation = {"text": text, "to": call.target}
    headers = {"X-Metered-Usage": str(len(call.text)), "X-RequestId": "f3a1"}
    return Answer(body=[{"translations": [translation]}], headers=headers)


# Amazon


def _check_amazon(raw: Raw, used: set[str]) -> Checked:
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([\w-]+)/translate/aws4_request, "
        r"SignedHeaders=([\w;-]+), Signature=([0-9a-f]{64})",
        raw.headers.get("authorization", ""),
    )
    if not found:
        return _amazon("IncompleteSignatureException", "Authorization header requires all parameters.")
    key, day, region, names, signature = found.groups()
    if key != KEY_ID:
        return _amazon(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    stamp = raw.headers["x-amz-date"]
    at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if not _is_now(at, 5) or not stamp.startswith(day):
        return _amazon(
            "InvalidSignatureException", f"Signature expired: {stamp} is now earlier than the limit."
        )
    if not {"host", "x-amz-date"} <= set(names.split(";")):
        return _amazon("InvalidSignatureException", "'Host' must be a 'SignedHeader'.")
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{day}/{region}/translate/aws4_request\n{_canonical(raw, names)}"
    derived = _hmac(_hmac(_hmac(_hmac(b"AWS4" + SECRET.encode(), day), region), "translate"), "aws4_request")
    if not hmac.compare_digest(_hmac(derived, to_sign).hex(), signature):
        return _amazon(
            "InvalidSignatureException", "The request signature we calculated does not match the signature."
        )
    if raw.headers["x-amz-target"] != "AWSShineFrontendService_20170701.TranslateText":
        return _amazon("UnknownOperationException", "")
    fields = raw.json()
    if len(fields["Text"].encode()) > 10_000:
        return _amazon("TextSizeLimitExceededException", "Input text size exceeds limit.")
    return Call(
        fields["Text"], fields["SourceLanguageCode"], fields["TargetLanguageCode"], fields, raw.headers
    )


def _amazon(kind: str, message: str, status: int = 400) -> Answer:
    return Answer(status, {"__type": f"com.amazonaws.translate#{kind}", "message": message})


def _good_amazon(text: str, call: Call) -> Answer:
    return Answer(
        body={"TranslatedText": text, "SourceLanguageCode": call.source, "TargetLanguageCode": call.target}
    )


# Alibaba


def _check_alibaba(raw: Raw, used: set[str]) -> Checked:
    found = re.fullmatch(
        r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([\w;-]+),Signature=([0-9a-f]{64})",
        raw.headers.get("authorization", ""),
    )
    if not found or found[1] != KEY_ID:
        return _alibaba(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    names, signature = found[2], found[3]
    required = {"host", *(name for name in raw.headers if name.startswith("x-acs-"))}
    if not required <= set(names.split(";")):
        return _alibaba(400, "IncompleteSignature", "All x-acs headers must be signed.")
    at = datetime.strptime(raw.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    if not _is_now(at, 15):
        return _alibaba(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    if raw.headers["x-acs-content-sha256"] != hashlib.sha256(raw.body).hexdigest():
        return _alibaba(400, "SignatureDoesNotMatch", "Content hash is not matched.")
    expected = _hmac(SECRET.encode(), f"ACS3-HMAC-SHA256\n{_canonical(raw, names)}").hex()
    if not hmac.compare_digest(expected, signature):
        return _alibaba(400, "SignatureDoesNotMatch", "Specified signature is not matched.")
    nonce = raw.headers["x-acs-signature-nonce"]
    if nonce in used:
        return _alibaba(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    used.add(nonce)
    action = raw.headers["x-acs-action"], raw.headers["x-acs-version"]
    if action != ("TranslateGeneral", "2018-10-12"):
        return _alibaba(404, "InvalidAction.NotFound", "")
    fields = raw.form()
    text = fields["SourceText"]
    if len(text.encode("utf-16-le")) // 2 > 5_000:
        return Answer(
            body={"Code": "10008", "Message": "The source text exceeds the limit.", "RequestId": "A1"}
        )
    return Call(text, fields["SourceLanguage"], fields["TargetLanguage"], fields, raw.headers)


def _alibaba(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"Code": code, "Message": message, "RequestId": "A1"})


def _good_alibaba(text: str, call: Call) -> Answer:
    data = {"Translated": text, "WordCount": str(len(call.text))}
    return Answer(body={"Code": "200", "Data": data, "RequestId": "A1"})


# Baidu


def _check_baidu(raw: Raw, used: set[str]) -> Checked:
    fields = raw.form()
    if raw.path != "/api/trans/vip/translate" or not all(fields.get(name) for name in ("q", "salt", "sign")):
        return _baidu("54000", "PARAM_FROM_TO_OR_Q_EMPTY")
    if fields["appid"] != KEY_ID:
        return _baidu("52003", "UNAUTHORIZED USER")
    signed = f"{KEY_ID}{fields['q']}{fields['salt']}{SECRET}"
    if hashlib.md5(signed.encode()).hexdigest() != fields["sign"]:
        return _baidu("54001", "Invalid Sign")
    if len(fields["q"]) > 1_000:
        return _baidu("54005", "Long query too frequent")
    if {fields["from"], fields["to"]} - {"en", "zh", "cht"}:
        return _baidu("58001", "INVALID_TO_PARAM")
    return Call(fields["q"], fields["from"], fields["to"], fields, raw.headers)


def _baidu(code: str, message: str) -> Answer:
    return Answer(body={"error_code": code, "error_msg": message})


def _good_baidu(text: str, call: Call) -> Answer:
    lines = [{"src": line, "dst": line} for line in text.split("\n") if line.strip()]
    return Answer(body={"from": call.source, "to": call.target, "trans_result": lines})


# Tencent


def _check_tencent(raw: Raw, used: set[str]) -> Checked:
    found = re.fullmatch(
        r"TC3-HMAC-SHA256 Credential=([^/]+)/([\d-]{10})/tmt/tc3_request, SignedHeaders=([\w;-]+), "
        r"Signature=([0-9a-f]{64})",
        raw.headers.get("authorization", ""),
    )
    if not found:
        return _tencent("AuthFailure.InvalidAuthorization", "Authorization is invalid.")
    key, day, names, signature = found.groups()
    if key != KEY_ID:
        return _tencent("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    seconds = raw.headers["x-tc-timestamp"]
    at = datetime.fromtimestamp(int(seconds), timezone.utc)
    if not _is_now(at, 5) or f"{at:%Y-%m-%d}" != day:
        return _tencent("AuthFailure.SignatureExpire", "The provided credentials are expired.")
    if not {"content-type", "host"} <= set(names.split(";")):
        return _tencent("AuthFailure.SignatureFailure", "content-type and host must be signed.")
    to_sign = f"TC3-HMAC-SHA256\n{seconds}\n{day}/tmt/tc3_request\n{_canonical(raw, names)}"
    derived = _hmac(_hmac(_hmac(b"TC3" + SECRET.encode(), day), "tmt"), "tc3_request")
    if not hmac.compare_digest(_hmac(derived, to_sign).hex(), signature):
        return _tencent(
            "AuthFailure.SignatureFailure", "The provided credentials could not be validated. Please check."
        )
    if (raw.headers["x-tc-action"], raw.headers["x-tc-version"]) != ("TextTranslate", "2018-03-21"):
        return _tencent("InvalidAction", "")
    fields = raw.json()
    if len(fields["SourceText"]) > 2_000:
        return _tencent("UnsupportedOperation.TextTooLong", "The text is too long.")
    return Call(fields["SourceText"], fields["Source"], fields["Target"], fields, raw.headers)


def _tencent(code: str, message: str) -> Answer:
    return Answer(body={"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "ed93"}})


def _good_tencent(text: str, call: Call) -> Answer:
    response = {"TargetText": text, "Source": call.source, "Target": call.target, "RequestId": "ed93"}
    return Answer(body={"Response": response})


# Youdao


def _check_youdao(raw: Raw, used: set[str]) -> Checked:
    fields = raw.form()
    if raw.path != "/api" or fields.get("signType") != "v3":
        return _youdao("105")
    if fields["appKey"] != KEY_ID:
        return _youdao("108")
    q = fields["q"]
    short = q if len(q) <= 20 else q[:10] + str(len(q)) + q[-10:]
    signed = KEY_ID + short + fields["salt"] + fields["curtime"] + SECRET
    if hashlib.sha256(signed.encode()).hexdigest() != fields["sign"]:
        return _youdao("202")
    if abs(time.time() - int(fields["curtime"])) > 300:
        return _youdao("206")
    if fields["salt"] in used:
        return _youdao("207")
    used.add(fields["salt"])
    if len(q) > 5_000:
        return _youdao("103")
    if {fields["from"], fields["to"]} - {"en", "zh-CHS", "zh-CHT"}:
        return _youdao("102")
    return Call(q, fields["from"], fields["to"], fields, raw.headers)


def _youdao(code: str) -> Answer:
    return Answer(body={"errorCode": code, "requestId": "3f3d", "l": "zh-CHS2en"})


def _good_youdao(text: str, call: Call) -> Answer:
    return Answer(
        body={
            "errorCode": "0",
            "query": call.text,
            "translation": [text],
            "l": f"{call.source}2{call.target}",
        }
    )


PROTOCOLS: dict[str, Protocol] = {
    "deepl": Protocol(
        _check_deepl,
        _good_deepl,
        {
            "credit": Answer(456, {"message": "Quota exceeded"}),
            "later": Answer(429, {"message": "Too many requests"}),
            "language": Answer(400, {"message": "Value for 'target_lang' not supported."}),
            "text": Answer(400, {"message": "Bad request. Reason: invalid text."}),
        },
        128 * 1024,
        lambda text: len(json.dumps(text)),
    ),
    "google": Protocol(
        _check_google,
        _good_google,
        {
            "credit": _google(403, "Daily Limit Exceeded", "dailyLimitExceeded"),
            "later": _google(403, "User Rate Limit Exceeded", "userRateLimitExceeded"),
            "language": _google(400, "Bad language pair: zh-TW|en", "badRequest"),
            "access": _google(
                403, "Cloud Translation API has not been used in project 1.", "forbidden", "SERVICE_DISABLED"
            ),
            "text": _google(400, "Invalid Value", "invalid"),
        },
        5_000,
    ),
    "google-advanced": Protocol(
        _check_google_advanced,
        _good_google_advanced,
        {
            "credit": _google(403, "Daily Limit Exceeded", "dailyLimitExceeded"),
            "later": Answer(
                429, {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}
            ),
            "language": _google(400, "Target language is invalid: unsupported language pair", "badRequest"),
            "access": _google(403, "Permission denied", "forbidden"),
            "text": _google(400, "Invalid Value", "invalid"),
        },
        30_000,
    ),
    "microsoft": Protocol(
        _check_microsoft,
        _good_microsoft,
        {
            "credit": _microsoft(
                403001, "The operation is not allowed because the subscription exceeded its free quota."
            ),
            "later": _microsoft(
                429001, "The server rejected the request because the client has exceeded request limits."
            ),
            "language": _microsoft(400036, "The target language is not valid."),
            "access": _microsoft(403000, "The operation is not allowed."),
            "text": _microsoft(400020, "An element in the input array is not valid."),
        },
        50_000,
    ),
    "amazon": Protocol(
        _check_amazon,
        _good_amazon,
        {
            "later": _amazon("ThrottlingException", "Rate exceeded"),
            "language": _amazon("UnsupportedLanguagePairException", "Unsupported language pair: zh-TW to en."),
            "access": _amazon("AccessDeniedException", "User is not authorized to perform TranslateText"),
            "text": _amazon("InvalidRequestException", "The text is not valid."),
        },
        10_000,
        lambda text: len(text.encode()),
    ),
    "alibaba": Protocol(
        _check_alibaba,
        _good_alibaba,
        {
            "later": _alibaba(400, "Throttling.User", "Request was denied due to user flow control."),
            "language": Answer(body={"Code": 10005, "Message": "The language pair is not supported."}),
            "access": _alibaba(403, "Forbidden.RAM", "User not authorized to operate on the resource."),
            "text": Answer(body={"Code": "10007", "Message": "Translation failed."}),
        },
        5_000,
        lambda text: len(text.encode("utf-16-le")) // 2,
    ),
    "baidu": Protocol(
        _check_baidu,
        _good_baidu,
        {
            "credit": _baidu("54004", "Please recharge"),
            "later": _baidu("54003", "Invalid Access Limit"),
            "language": _baidu("58001", "INVALID_TO_PARAM"),
            "access": _baidu("58000", "INVALID_CLIENT_IP"),
            "text": _baidu("20003", "The text is not safe"),
        },
        1_000,
        len,
    ),
    "tencent": Protocol(
        _check_tencent,
        _good_tencent,
        {
            "credit": _tencent("FailedOperation.NoFreeAmount", "The free quota of this month is used up."),
            "later": _tencent("RequestLimitExceeded", "Your current request times are over the limit."),
            "language": _tencent("UnsupportedOperation.UnSupportedTargetLanguage", "Unsupported target language."),
            "access": _tencent("FailedOperation.UserNotRegistered", "The service is not activated."),
            "text": _tencent("FailedOperation.DownloadErr", "Error"),
        },
        2_000,
    ),
    "youdao": Protocol(
        _check_youdao,
        _good_youdao,
        {
            "credit": _youdao("401"),
            "later": _youdao("411"),
            "language": _youdao("102"),
            "access": _youdao("110"),
            "text": _youdao("302"),
        },
        5_000,
    ),
}  # fmt: skip
VARIABLES: dict[str, tuple[str, str]] = {
    "deepl": ("", "DEEPL_AUTH_KEY"),
    "google": ("", "GOOGLE_API_KEY"),
    "google-advanced": ("", "GOOGLE_ACCESS_TOKEN"),
    "microsoft": ("", "AZURE_TRANSLATOR_KEY"),
    "amazon": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    "baidu": ("BAIDU_TRANSLATE_APP_ID", "BAIDU_TRANSLATE_SECRET"),
    "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
    "youdao": ("YOUDAO_APP_KEY", "YOUDAO_APP_SECRET"),
}
"""Service -> the environment variables of the key's id ("" if it has none) and of the key."""


def environment(*services: str) -> dict[str, str]:
    """Variables with the keys that the servers accept."""
    pairs = [VARIABLES[service] for service in services]
    return {name: value for id, key in pairs for name, value in ((id, KEY_ID), (key, SECRET)) if name} | {
        "NO_PROXY": "127.0.0.1"
    }


class ServiceServer(ThreadingHTTPServer):
    """`script` chooses the answer to an accepted call: a translation, or an answer of its own."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, service: str, script: Callable[[Call, int], str | Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.protocol = PROTOCOLS[service]
        self.script = script
        self.calls: list[Call] = []
        self.requests = 0
        self.used: set[str] = set()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, raw: Raw) -> Answer:
        with self.lock:
            self.requests += 1
            checked = self.protocol.check(raw, self.used)
            if isinstance(checked, Answer):
                return checked
            self.calls.append(checked)
            attempt = sum(call.text == checked.text for call in self.calls)
        chosen = self.script(checked, attempt)
        return self.protocol.good(chosen, checked) if isinstance(chosen, str) else chosen

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ServiceServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(Raw(address.path, address.query, headers, body))
        content = (
            answer.body
            if isinstance(answer.body, bytes)
            else json.dumps(answer.body, ensure_ascii=False).encode()
        )
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(
    service: str, script: Callable[[Call, int], str | Answer] = lambda call, attempt: f"<{call.text}>"
) -> Iterator[ServiceServer]:
    """`script`: as in ServiceServer, with the number of times that this text was sent."""
    server = ServiceServer(service, script)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
