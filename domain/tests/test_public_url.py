"""What CLERK_PUBLIC_URL may be, and what it settles."""

from __future__ import annotations

import pytest

from domain.public_url import OWN, PublicAddress, read_public_url


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://shop.example", "https://shop.example", ""),
        ("https://shop.example/", "https://shop.example", ""),
        ("https://SHOP.example:443/clerk/", "https://shop.example", "/clerk"),
        ("https://shop.example:8443/a/b", "https://shop.example:8443", "/a/b"),
        ("http://127.0.0.1:8470", "http://127.0.0.1:8470", ""),
        ("http://[::1]:8470/x", "http://[::1]:8470", "/x"),
    ],
)
def test_an_address_is_read(url: str, origin: str, prefix: str) -> None:
    found = read_public_url(url)
    assert (found.origin, found.prefix, found.is_known) == (origin, prefix, True)


@pytest.mark.parametrize(
    "url",
    ["shop.example", "//shop.example", "ftp://shop.example", "https://", "https://a b", "https://u:p@shop.example",
     "https://shop.example?x=1", "https://shop.example/#", "https://shop.example:99999", "https://shop.example:0",
     "https://shop.example/a//b", "https://shop.example/a%2Fb", 'https://shop.example/"x', "https://shöp.example",
     "https://shop.example/..", *(f"https://shop.example/{own}" for own in sorted(OWN)), "https://shop.example/shop/x"],
)  # fmt: skip
def test_what_is_no_address_or_could_be_mistaken_for_a_path_of_ours_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|may have|must not"):
        read_public_url(url)


def test_paths_get_the_prefix_once_and_lose_it_once() -> None:
    there = read_public_url("https://shop.example/clerk")
    for own in ("/", "/dashboard", "/dashboard?next=/dashboard", "/clerks"):
        assert there.own_path(there.path(own)) == own
        assert there.path(there.path(own)) == there.path(own)
        assert there.own_path(own) == own
    assert there.own_path("/clerk") == "/"
    for elsewhere in ("//evil.test/", "https://idp.example/authorize", ""):
        assert there.path(elsewhere) == elsewhere


def test_of_an_address_that_is_not_set_nothing_is_known() -> None:
    nowhere = read_public_url("")
    assert nowhere == PublicAddress() and not nowhere.is_known
    assert nowhere.path("/dashboard") == "/dashboard" == nowhere.own_path("/dashboard")
