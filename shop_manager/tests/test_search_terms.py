"""By which terms a Clerk is found: case, accents and punctuation do not matter, and what is personal is hashed."""

from __future__ import annotations

import pytest

from shop_manager.engine.search_terms import (
    MOST_PARTS,
    changed_terms,
    email_hash,
    ends_of,
    name_terms,
    squeezed,
    terms_of,
)


def shown(text: str) -> str:
    """In the place of the keyed hash: what would be hashed."""
    return text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("Order 2026-08", "order2026-08"), ("ZOË", "zoe"), ("straße", "STRASSE"), ("ＡＢＣ", "abc"), ("é", "é")],
)
def test_case_accents_width_and_punctuation_do_not_matter(typed: str, meant: str) -> None:
    assert squeezed(typed) == squeezed(meant) != ""


def test_a_reference_is_found_by_each_of_its_parts() -> None:
    assert ends_of("WEB4711-2026/08") == {"web4711202608", "4711202608", "202608", "08"}
    assert ends_of("★") == set()
    assert len(ends_of("-".join("abcdefghijklmnop"))) == MOST_PARTS


def test_a_name_is_found_by_each_word_and_by_all_of_them_in_any_order() -> None:
    assert name_terms("Zoë Ångström", shown) == {"name zoe", "name angstrom", "name angstrom zoe"}
    assert name_terms(None, shown) == set()


def test_a_document_is_found_by_what_is_known_of_it() -> None:
    document = {
        "clerk": {"client_reference": "W-1", "brought": {"items": [{"sku": "BALL", "quantity": 1}]}},
        "customer": {"id": "ada", "name": "Ada", "email": "Ada@Example.com"},
        "order": {"status": "placed", "items": [{"sku": "BALL"}, {"sku": "BONE-2"}]},
        "payment": {"reference": "ch_77"},
        "shipment": {"tracking": "JD 01-46"},
    }
    assert terms_of(document, shown) == {
        ("client_reference", "w1"),
        ("client_reference", "1"),
        ("sku", "ball"),
        ("sku", "bone2"),
        ("name", "name ada"),
        ("email", "email ada@example.com"),
        ("provider_reference", "ch77"),
        ("tracking", "jd0146"),
    }
    assert {kind for kind, _ in terms_of(document, None)}.isdisjoint({"name", "email"})


@pytest.mark.parametrize(
    "section",
    [
        {"items": "none"},
        {"items": [{"sku": ["a"]}, {"sku": 3}, "x", {"sku": "★"}]},
        {"items": None},
        {"status": "open", "items": [{"sku": "BONE"}]},
    ],
)
def test_what_a_service_writes_badly_and_a_cart_that_is_being_filled_give_no_terms(section: dict[str, object]) -> None:
    assert terms_of({"order": section, "payment": {"reference": 5}, "shipment": None}, shown) == set()


def test_only_what_changes_is_new_and_of_a_person_what_is_not_true_any_more_goes() -> None:
    before = {
        "clerk": {"brought": {"items": [{"sku": "BONE"}]}},
        "customer": {"name": "Ada Lovelace", "email": "a@b.c"},
        "shipment": {"tracking": "T1"},
    }
    after = {
        **before,
        "customer": {"name": "Ada King", "email": None},
        "order": {"items": [{"sku": "BONE"}]},
        "shipment": {"tracking": "T2"},
    }
    change = changed_terms(before, after, shown)
    assert change.new == {("name", "name king"), ("name", "name ada king"), ("tracking", "t2")}
    assert change.gone == {
        ("name", "name lovelace"),
        ("name", "name ada lovelace"),
        ("email", email_hash("a@b.c", shown)),
    }
