"""Which addresses are of the web, and lead to a host without giving a password away."""

from __future__ import annotations

import pytest

from domain.http_urls import http_url


def test_an_address_of_the_web_is_in_its_parts() -> None:
    for text in ("https://hooks.example/T0/B0", "http://127.0.0.1:8080", "HTTPS://wiki.example/a?b=c#d"):
        assert http_url(text) is not None, text
    parts = http_url("https://hooks.example:8443/T0#top")
    assert parts is not None and (parts.hostname, parts.port, parts.fragment) == ("hooks.example", 8443, "top")


@pytest.mark.parametrize(
    "text",
    [
        "", "hooks.example/T0", "ftp://hooks.example", "https://", "https:///path", "https://ada:pass@hooks.example",
        "https://ada@hooks.example", "https://hooks.example:0", "https://hooks.example:70000", "https://[::1",
        "https://h\u00f6oks.example", "https://hooks.example/\n", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert http_url(text) is None
