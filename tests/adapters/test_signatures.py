"""Signatures against the vendors' own SDKs and published examples."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from urllib.parse import urlencode

import pytest

from bench.adapters.commercial import signatures

AT = datetime(2026, 11, 30, 12, 34, 56, tzinfo=timezone.utc)
AMAZON_HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Host": "translate.eu-west-1.amazonaws.com",
    "X-Amz-Target": "AWSShineFrontendService_20170701.TranslateText",
    "X-Amz-Date": "20261130T123456Z",
}
AMAZON_BODY = json.dumps(
    {"Text": "出口管制", "SourceLanguageCode": "zh", "TargetLanguageCode": "en"}
).encode()


@pytest.mark.parametrize(
    ("token", "signature"),
    [
        ("", "d629e6d67b20ab2119b824211e9da79c034529d4c8ec880530cad7dce1e1bf7f"),
        ("session/token==", "f7a3123e39fd087b0830d881fe00ddd2e20be9ed6b7e1ff103a398a9a4a9aaad"),
    ],
)
def test_amazon_as_botocore_signs(token: str, signature: str) -> None:
    """botocore 1.44.8: SigV4Auth(Credentials(…), "translate", "eu-west-1").add_auth(AWSRequest(…)) at that time."""
    headers = {**AMAZON_HEADERS, **({"X-Amz-Security-Token": token} if token else {})}
    key = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    header = signatures.amazon("/", headers, AMAZON_BODY, key, "eu-west-1", AT)
    names = f"content-type;host;x-amz-date;{'x-amz-security-token;' if token else ''}x-amz-target"
    assert header == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/eu-west-1/translate/aws4_request, "
        f"SignedHeaders={names}, Signature={signature}"
    )


def test_tencent_as_its_sdk_signs() -> None:
    """tencentcloud-sdk-python-common 3.1.195: AbstractClient._build_req_with_tc3_signature at that time."""
    body = json.dumps({"SourceText": "出口管制", "Source": "zh", "Target": "en", "ProjectId": 0}).encode()
    headers = {"Content-Type": "application/json", "Host": "tmt.tencentcloudapi.com"}
    key = ("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
    header = signatures.tencent(headers, body, key, datetime.fromtimestamp(1764506096, timezone.utc))
    assert header == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2025-11-30/tmt/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=cb663d387646ee9d3461f40569e6cc0c274a9105b3ac4fa8a3fbb15009856b95"
    )


def test_alibaba_as_its_documentation_and_its_sdk_sign() -> None:
    """The documentation's example (RunInstances), and alibabacloud-tea-openapi 0.4.6: Utils.get_authorization."""
    key = ("YourAccessKeyId", "YourAccessKeySecret")
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    documented = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    assert signatures.alibaba(query, headers, b"", key).endswith(f",Signature={documented}")
    fields = {"FormatType": "text", "Scene": "general", "SourceLanguage": "zh", "SourceText": "出口管制"}
    body = urlencode({**fields, "TargetLanguage": "en"}).encode()
    headers = {
        "host": "mt.cn-hangzhou.aliyuncs.com",
        "content-type": "application/x-www-form-urlencoded",
        "x-acs-action": "TranslateGeneral",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-acs-date": "2026-11-30T12:34:56Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2018-10-12",
    }
    assert signatures.alibaba("", headers, body, key) == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=content-type;host;x-acs-action;"
        "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=59afce22c960a6caeff24e6f0c0b2ba18ed4824c4ba353a7571b2942e4aa2ff9"
    )


def test_baidu_as_its_documentation_signs() -> None:
    key = ("2015063000000001", "12345678")
    assert signatures.baidu("apple", "1435660288", key) == "f89f9594663708c1605f3d736d01d2d4"


def test_youdao_shortens_long_texts() -> None:
    """As the documentation says it: 20 characters go in whole; of more, the first ten, their number, the last ten."""
    for text, short in (
        ("a" * 20, "a" * 20),
        ("出口管制法" * 5, "出口管制法出口管制法25出口管制法出口管制法"),
    ):
        expected = hashlib.sha256(f"app{short}salt1700000000secret".encode()).hexdigest()
        assert signatures.youdao(text, "salt", "1700000000", ("app", "secret")) == expected
