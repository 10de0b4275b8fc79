"""The setting of allowed origins: as browsers write them, and one clear line for what is none."""

from __future__ import annotations

import pytest

from domain.web_origins import read_origins


def test_origins_are_read_as_browsers_write_them() -> None:
    found = read_origins(" https://Shop.example:443 ,http://localhost:3000,https://[::1]:8443, ")
    assert found.origins == {"https://shop.example", "http://localhost:3000", "https://[::1]:8443"}
    assert found.answer_to("https://shop.example") == "https://shop.example"
    assert found.answer_to("null") is None
    assert found.answer_to(None) is None
    assert found
    assert not read_origins("")


def test_a_star_is_every_origin_and_never_the_origin_itself() -> None:
    assert read_origins("*").answer_to("https://shop.example") == "*"
    assert read_origins("*").answer_to("null") == "*"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("shop.example", "has no scheme"),
        ("null", "has no scheme"),
        ("https://shop.example/", "has a path, if only a slash at its end"),
        ("https://shop.example/cart", "has a path"),
        ("ftp://shop.example", "has another scheme"),
        ("https://", "is no origin"),
        ("https://*.shop.example", "is no origin"),
        ("https://shöp.example", "is no origin"),
        ("https://me@shop.example", "is no origin"),
        ("https://shop.example?x", "is no origin"),
        ("https://shop.example:0", "no port"),
        ("https://shop.example:70000", "no port"),
        ("*, https://shop.example", "alone"),
    ],
)
def test_what_is_no_origin_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        read_origins(text)
    assert "\n" not in str(refused.value)
