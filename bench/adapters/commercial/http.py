"""One POST to a service, within the limits of bench.endpoints. Redirects are not followed, and what the environment
says about passwords and cookies is not used."""

from __future__ import annotations

import http.cookiejar
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.bodies import BadBody, decoded
from bench.endpoints import Endpoint, NoAnswer
from bench.errors import BenchError

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    """After the endpoint's address: "/v2/translate"; "" for the address itself."""
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] | None = None


def json_request(
    path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, str] | None = None
) -> Request:
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Request(path, content, {"Content-Type": "application/json", **headers}, query)


def form_request(path: str, fields: Mapping[str, str]) -> Request:
    return Request(path, urlencode(fields, errors="replace").encode(), {"Content-Type": FORM})


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """None if it is not JSON."""
        try:
            return decoded(self.body)
        except (ValueError, RecursionError, BadBody):
            return None

    def shown(self) -> str:
        return self.body[:1000].decode("utf-8", "replace").strip() or "nothing was sent"


class Sender:
    """Connections to one endpoint, for several threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        import requests

        self.endpoint = endpoint
        self._session = requests.Session()
        self._session.trust_env = not endpoint.is_local  # proxies are not for servers on this machine
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=endpoint.concurrency)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send(self, request: Request) -> Reply:
        """Raises NoAnswer, and BenchError if the endpoint sends the request elsewhere."""
        import requests
        import urllib3

        endpoint = self.endpoint
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **request.headers}
        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            with self._session.post(
                f"{endpoint.base_url}{request.path}{query}",
                data=request.body,
                headers=headers,
                timeout=(min(endpoint.timeout, 10), endpoint.timeout),
                allow_redirects=False,
                stream=True,
                auth=lambda prepared: prepared,  # else the password in ~/.netrc would take the key's place
            ) as response:
                endpoint.gate.observe(response.status_code, response.headers)
                encoding = response.headers.get("content-encoding", "")
                body = endpoint.read_body(response.raw.stream(65_536, decode_content=False), encoding)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__}: {error}") from None
        if 300 <= response.status_code < 400:
            target = endpoint.redact(response.headers.get("location", "somewhere else"))
            raise BenchError(
                f"{endpoint.base_url} redirects to {target}, which is not followed: set {endpoint.yaml}.base_url to "
                "the address that answers itself, if you trust it."
            )
        return Reply(response.status_code, response.headers, body)
