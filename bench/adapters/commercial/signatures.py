"""Signatures of requests, as the services document them. Pure functions: the time and the random number are given.

Three of the four long ones differ in details only, but each follows its own document, so that it can be read
beside it. tests/adapters/test_signatures.py compares them with the vendors' SDKs and published examples.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime


def amazon(
    path: str, headers: Mapping[str, str], body: bytes, key: tuple[str, str], region: str, at: datetime
) -> str:
    """The header Authorization of a POST to Amazon Translate. `key`: id and secret. `headers`: those to sign.

    AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
    """
    names = ";".join(sorted(name.lower() for name in headers))
    scope = f"{at:%Y%m%d}/{region}/translate/aws4_request"
    request = "\n".join(["POST", path, "", _lines(headers), names, _sha256(body)])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", f"{at:%Y%m%dT%H%M%SZ}", scope, _sha256(request.encode())])
    secret = f"AWS4{key[1]}".encode()
    for part in scope.split("/"):
        secret = _hmac(secret, part)
    signature = _hmac(secret, to_sign).hex()
    return f"AWS4-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"


def tencent(headers: Mapping[str, str], body: bytes, key: tuple[str, str], at: datetime) -> str:
    """The header Authorization of a POST to Tencent's service `tmt`, as for `amazon`.

    TC3-HMAC-SHA256 (cloud.tencent.com/document/api/551/30636).
    """
    names = ";".join(sorted(name.lower() for name in headers))
    scope = f"{at:%Y-%m-%d}/tmt/tc3_request"
    request = "\n".join(["POST", "/", "", _lines(headers), names, _sha256(body)])
    to_sign = "\n".join(["TC3-HMAC-SHA256", str(int(at.timestamp())), scope, _sha256(request.encode())])
    secret = f"TC3{key[1]}".encode()
    for part in scope.split("/"):
        secret = _hmac(secret, part)
    signature = _hmac(secret, to_sign).hex()
    return f"TC3-HMAC-SHA256 Credential={key[0]}/{scope}, SignedHeaders={names}, Signature={signature}"


def alibaba(query: str, headers: Mapping[str, str], body: bytes, key: tuple[str, str]) -> str:
    """The header Authorization of a POST to "/", as for `amazon`. `query`: in canonical form.

    ACS3-HMAC-SHA256 (alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature).
    """
    names = ";".join(sorted(name.lower() for name in headers))
    request = "\n".join(["POST", "/", query, _lines(headers), names, _sha256(body)])
    to_sign = f"ACS3-HMAC-SHA256\n{_sha256(request.encode())}"
    signature = _hmac(key[1].encode(), to_sign).hex()
    return f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={signature}"


def baidu(text: str, salt: str, key: tuple[str, str]) -> str:
    """The field `sign`: MD5 over application id, text, salt and secret (fanyi-api.baidu.com/doc/21)."""
    return hashlib.md5(f"{key[0]}{text}{salt}{key[1]}".encode(), usedforsecurity=False).hexdigest()


def youdao(text: str, salt: str, seconds: str, key: tuple[str, str]) -> str:
    """The field `sign` of signType v3: SHA-256 over application id, a short form of the text, salt, time and
    secret (ai.youdao.com/DOCSIRMA/html/trans/api/wbfy/index.html)."""
    short = text if len(text) <= 20 else f"{text[:10]}{len(text)}{text[-10:]}"
    return _sha256(f"{key[0]}{short}{salt}{seconds}{key[1]}".encode())


def _lines(headers: Mapping[str, str]) -> str:
    """Headers in canonical form: one line each, sorted by name."""
    named = sorted((name.lower(), value.strip()) for name, value in headers.items())
    return "".join(f"{name}:{value}\n" for name, value in named)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.new(key, message.encode(), hashlib.sha256).digest()
