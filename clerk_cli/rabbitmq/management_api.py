"""RabbitMQ's users and rights by its HTTP API (the management plugin), from another machine."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
from pydantic import SecretStr

from clerk_cli.errors import CliError
from messaging.rabbitmq.rights import Rights

LIMIT = 10.0
"""Seconds for one request."""
REFUSALS = {401: "its account is wrong, or is no administrator's", 404: "there is no such virtual host or user"}
ALLOWED = "allowed is http://USER:PASSWORD@HOST:15672 or https://…; without USER it is that of CLERK_BROKER_OWNER_URL"


class ManagementApi:
    """An `Administration` (permissions.py). Its errors name neither the password nor the URL."""

    name = "RabbitMQ's HTTP API"

    def __init__(self, url: str, owner: str | None) -> None:
        """`owner`: the AMQP URL of the account to use where the API's own URL names none."""
        try:
            parts, account = urlsplit(url), urlsplit(owner or "")
            port = parts.port
        except ValueError:
            raise CliError(f"CLERK_BROKER_MANAGEMENT_URL cannot be read: {ALLOWED}") from None
        login = parts if parts.username is not None else account
        if parts.scheme not in ("http", "https") or not parts.hostname or not login.username:
            raise CliError(f"CLERK_BROKER_MANAGEMENT_URL cannot be used: {ALLOWED}")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._http = httpx.Client(
            base_url=f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}/api/",
            auth=(unquote(login.username), unquote(login.password or "")),
            timeout=LIMIT,
            trust_env=False,
        )

    def tags_of(self, user: str) -> list[str] | None:
        response = self._ask("GET", f"users/{_quoted(user)}", missing_is_an_answer=True)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        tags = response.json().get("tags") or []
        return [tag for tag in tags.split(",") if tag] if isinstance(tags, str) else list(tags)

    def set_password(self, user: str, password: SecretStr, tags: list[str] | None) -> None:
        told = {"password": password.get_secret_value(), "tags": ",".join(tags or [])}
        self._ask("PUT", f"users/{_quoted(user)}", told)

    def set_rights(self, vhost: str, rights: Rights) -> None:
        place = f"{_quoted(vhost)}/{_quoted(rights.user)}"
        given = {"configure": rights.configure, "write": rights.write, "read": rights.read}
        self._ask("PUT", f"permissions/{place}", given)
        for topic in rights.topics:
            told = {"exchange": topic.exchange, "write": topic.write, "read": topic.read}
            self._ask("PUT", f"topic-permissions/{place}", told)

    def _ask(
        self, method: str, path: str, content: dict[str, Any] | None = None, *, missing_is_an_answer: bool = False
    ) -> httpx.Response:
        try:
            response = self._http.request(method, path, json=content)
        except httpx.HTTPError as error:
            raise CliError(f"RabbitMQ's HTTP API cannot be reached: {type(error).__name__}") from None
        if response.is_success or (missing_is_an_answer and response.status_code == httpx.codes.NOT_FOUND):
            return response
        kind, status = path.split("/", maxsplit=1)[0], response.status_code
        reason = REFUSALS.get(status, "it was refused")
        raise CliError(f"RabbitMQ's HTTP API, {method} {kind}: {status}: {reason}")


def _quoted(name: str) -> str:
    return quote(name, safe="")
