"""A small OpenID provider on this machine: it checks what a client must send, and can lie in every way that matters."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "clerk dashboard", "s3cret:with/odd chars"


@dataclass
class OpenIdServer:
    """`claims` are laid over those of an honest ID token; None takes one out. `header` and `sign_with` likewise: bytes
    sign with HMAC.
    """

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    sign_with: Any = None
    unsigned: bool = False
    status: int = 200
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}, private=True))
    configuration: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refused: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def log_in(self, url: str) -> str:
        """Somebody logs in at the page of that address: where the browser is sent then."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{self.issuer}/authorize?"[:-1]
        assert query["response_type"] == "code" and query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT_ID and "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        honest = {"iss": self.issuer, "sub": "4711", "aud": CLIENT_ID, "iat": now, "exp": now + 300}
        honest |= {"nonce": asked["nonce"], "name": "Nora Petersen", "clerk_role": "operator"}
        claims = {name: value for name, value in (honest | self.claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "k1"} | self.header
        if not self.unsigned and not isinstance(self.sign_with, bytes):
            return jwt.encode(header, claims, self.sign_with or self.key)
        signed = ".".join(_base64(json.dumps(each).encode()) for each in (header, claims))
        made = b"" if self.unsigned else hmac.digest(self.sign_with, signed.encode(), "sha256")
        return f"{signed}.{_base64(made)}"

    def answer(self, method: str, path: str, body: str, authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        if self.status != 200:
            return self.status, {}
        if path == "/.well-known/openid-configuration":
            honest = {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                      "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                      "authorization_response_iss_parameter_supported": True}  # fmt: skip
            return 200, honest | self.configuration
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False, use="sig")]}
        return self._token(method, path, body, authorization)

    def _token(self, method: str, path: str, body: str, authorization: str) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        wrong = {
            "no token request": (method, path) != ("POST", "/token"),
            "an unknown or used code": asked is None,
            "another client": not _is_client(authorization),
            "another redirect": asked is not None and form.get("redirect_uri") != asked["redirect_uri"],
            "no PKCE": asked is not None and _base64(challenge) != asked["code_challenge"],
        }
        self.refused = next((why for why, holds in wrong.items() if holds), "")
        if self.refused or asked is None:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(asked)}


def _is_client(authorization: str) -> bool:
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return (unquote(name), unquote(secret)) == (CLIENT_ID, CLIENT_SECRET)


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@contextmanager
def openid_server() -> Iterator[OpenIdServer]:
    provider = OpenIdServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider.answer))
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(answer: Callable[..., tuple[int, dict[str, Any]]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, content = answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            told = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _reply  # noqa: N815  # the names that the library looks for

        def log_message(self, *_told: object) -> None:
            """Nothing."""

    return Handler
