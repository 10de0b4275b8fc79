"""Asks an OpenID provider who somebody is: code flow with PKCE; all of the answer is checked (docs/decisions/059).

Provider and network are outside: what they say is untrusted until signature, issuer, audience, nonce and times are
right, and they may hang: only a few calls wait for them at a time, each for a few seconds.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from http_api.openid_options import (
    BegunLogin,
    NotVouchedFor,
    OpenIdOptions,
    ProviderUnavailable,
    VouchedFor,
    check_address,
    name_of,
)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures with a private key of the provider's: neither none at all, nor one that our own secret could make."""
LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""
KEPT_FOR, AGAIN_AFTER = 3600.0, 60.0
"""Seconds: so long its configuration is kept, and so long its keys are not fetched again for an unknown one."""
PLACES = 4
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_MOST = 1024 * 1024
"""Bytes of an answer."""


class OpenIdProvider:
    """`clock` gives seconds since 1970; `transport` replaces the network. Safe in any thread."""

    def __init__(
        self,
        options: OpenIdOptions,
        *,
        clock: Callable[[], float] = time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.options = options
        self._clock = clock
        self._transport = transport
        self._places = BoundedSemaphore(PLACES)
        self._lock = Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def begin(self) -> BegunLogin:
        """Where to send the browser. ProviderUnavailable when the provider's configuration cannot be had."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._asking():
            url = prepare_grant_uri(
                self._endpoint("authorization_endpoint"),
                self.options.client_id,
                "code",
                redirect_uri=self.options.redirect_uri,
                scope=self.options.scope,
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),
                code_challenge_method="S256",
            )
        return BegunLogin(url, state, nonce, verifier)

    def person(self, code: str, nonce: str, verifier: str, said_issuer: str | None) -> VouchedFor:
        """Who has logged in there. NotVouchedFor when anything about it is wrong."""
        with self._asking():
            if said_issuer is not None and said_issuer != self.options.issuer:
                raise NotVouchedFor("another issuer has answered")
            if said_issuer is None and self._configuration().get("authorization_response_iss_parameter_supported"):
                raise NotVouchedFor("the issuer is missing in the answer")
            claims = self._checked(self._token(code, verifier), nonce)
            return VouchedFor(name_of(claims), self.options.role_of(claims))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A place to wait at; whatever goes wrong inside is one of our two exceptions."""
        if not self._places.acquire(blocking=False):
            raise ProviderUnavailable("too many calls wait for the provider")
        try:
            yield
        except httpx.HTTPError as error:
            raise ProviderUnavailable(type(error).__name__) from None
        except (AuthlibBaseError, JoseError) as error:
            raise NotVouchedFor(f"{error.error} {getattr(error, 'claim', '')}".strip()[:100]) from None
        except (ValueError, KeyError, TypeError) as error:
            raise NotVouchedFor(f"the answer cannot be read: {type(error).__name__}") from None
        finally:
            self._places.release()

    def _token(self, code: str, verifier: str) -> dict[str, Any]:
        """What the provider gives for the code that the browser has brought."""
        options, url = self.options, self._endpoint("token_endpoint")
        methods = self._configuration().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = options.client_secret and "client_secret_basic" in methods
        more = {} if basic else {"client_id": options.client_id}
        if options.client_secret and not basic:
            more["client_secret"] = options.client_secret
        body = prepare_token_request(
            "authorization_code", redirect_uri=options.redirect_uri, code=code, code_verifier=verifier, **more
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        auth = (
            httpx.BasicAuth(quote(options.client_id, safe=""), quote(options.client_secret, safe="")) if basic else None
        )
        return self._json("POST", url, content=body.encode(), headers=headers, auth=auth)

    def _configuration(self) -> Mapping[str, Any]:
        """What the provider says about itself, from the address that the specification names."""
        with self._lock:
            kept = self._metadata
        if kept is not None and self._clock() < kept[0] + KEPT_FOR:
            return kept[1]
        found = self._json("GET", f"{self.options.issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self.options.issuer:
            raise NotVouchedFor("the provider calls itself by another issuer than is set")
        with self._lock:
            self._metadata = (self._clock(), found)
        return found

    def _endpoint(self, name: str) -> str:
        found = self._configuration().get(name)
        return check_address(str(found))

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            kept = self._keys
        if kept is not None and self._clock() < kept[0] + (AGAIN_AFTER if anew else KEPT_FOR):
            return kept[1]
        found = KeySet.import_key_set({"keys": self._json("GET", self._endpoint("jwks_uri"))["keys"]})
        with self._lock:
            self._keys = (self._clock(), found)
        return found

    def _json(self, method: str, url: str, headers: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
        client = httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False, transport=self._transport)
        body = bytearray()
        given = {"Accept": "application/json", **(headers or {})}
        with client, client.stream(method, url, headers=given, **more) as response:
            if response.status_code >= 500:
                raise ProviderUnavailable(f"it answers {response.status_code}")
            if response.status_code != 200:
                raise NotVouchedFor(f"the provider answers {response.status_code}")
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST:
                    raise NotVouchedFor("the provider's answer has no end")
        found = json.loads(bytes(body))
        if not isinstance(found, dict):
            raise NotVouchedFor("the provider's answer is no JSON object")
        return found

    def _checked(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The claims, when the signature is the provider's, and they are for us, for this login and for now."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise NotVouchedFor("there is no ID token in the answer")
        decoded = self._decoded(text)
        wanted = {
            "iss": {"essential": True, "value": self.options.issuer},
            "aud": {"essential": True, "value": self.options.client_id},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": self.options.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, wanted, params)
        claims.validate(now=int(self._clock()), leeway=LEEWAY)
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise NotVouchedFor("the subject is no text")
        return dict(claims)

    def _decoded(self, text: str) -> Any:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(text, self._key_set(), registry=registry)
        except InvalidKeyIdError:  # perhaps the provider has a new key
            return jwt.decode(text, self._key_set(anew=True), registry=registry)
