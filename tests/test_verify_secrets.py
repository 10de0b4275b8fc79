"""`clerk verify --secrets` finds a card number and a secret of `clerk up` in any text of any database (I16)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clerk_cli.credentials import new_credentials
from clerk_cli.data_folder import keep_credentials
from clerk_cli.databases import opened_shop
from clerk_cli.main import run
from messaging.parked import ParkedMessage, park
from risk_service import store as risk_store
from shop_service.store import products
from tests.whole_shop import WholeShop

CARD_NUMBER = "4111 1111 1111 1111"


def verified(capsys: pytest.CaptureFixture[str], data: Path, *flags: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the JSON that is printed, and its text."""
    capsys.readouterr()
    code = run(["verify", *flags, "--json", "--data", str(data)])
    text = capsys.readouterr().out
    return code, json.loads(text), text


def put_into_texts(data: Path, card_number: str, secret: str) -> None:
    """The card number into a product's name, the secret into the body of a parked message."""
    fields = {"sku": "PLANTED", "unit_amount": 1, "currency": "EUR", "kind": "physical", "withdrawn": True}
    with opened_shop(None, data) as databases:
        with databases["shop"].begin() as tx:
            tx.insert(products, [{**fields, "name": f"Bone {card_number}"}])
        with databases["risk"].begin() as tx:
            message = ParkedMessage("risk", "risk.commands.v1", "no JSON", None, f"<key>{secret}</key>".encode())
            park(tx, risk_store.technical.parked, [message], tx.now())


def test_I16_card_numbers_and_secrets_in_texts_are_found_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    credentials = new_credentials()
    keep_credentials(tmp_path, credentials)
    with WholeShop(tmp_path) as shop:
        shop.order()
        shop.order(token="tok_declined")
    code, clean, _ = verified(capsys, tmp_path, "--secrets")
    assert (code, clean["clean"], clean["clerks"]) == (0, True, 2)
    assert "I16" in clean["checked"]

    put_into_texts(tmp_path, CARD_NUMBER, credentials.server_key)
    code, found, text = verified(capsys, tmp_path, "--secrets")
    assert code == 1
    secrecy = [each for each in found["drifts"] if each["invariant"] == "I16"]
    places = {each["expected"]: each["found"] for each in secrecy}
    assert len(secrecy) == len(places) == 2
    assert places["no card number anywhere"] == "shop: products.name of row PLANTED"
    assert places["no secret anywhere"].startswith("risk: parked.body of row ")
    assert not any(each["safe"] for each in secrecy)
    assert CARD_NUMBER not in text
    assert credentials.server_key not in text

    _, without, _ = verified(capsys, tmp_path)
    assert "I16" not in without["checked"]
    assert "I16" not in {each["invariant"] for each in without["drifts"]}
