"""`clerk verify` while a shop is busy: what is under way is no violation."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from clerk_cli.databases import opened_shop
from tests.whole_shop import WholeShop
from verifier import Violation, check, still_under_way
from verifier.checking import heartbeat_of
from verifier.facts import Databases

TOKENS = ("tok_ok", "tok_declined", "tok_ok", "tok_capture_refused", "tok_lost")
SHOPPERS = 4
ORDERS_EACH = 30


def test_a_busy_shop_raises_no_false_alarm(tmp_path: Path) -> None:
    with WholeShop(tmp_path) as shop, opened_shop(None, tmp_path) as databases:
        shop.ask("PUT", "/fulfillment/stock/SQUEAKY-BONE", shop.server_key, {"on_hand": 100})
        with ThreadPoolExecutor(SHOPPERS) as pool:
            shoppers = [pool.submit(_goes_shopping, shop, number) for number in range(SHOPPERS)]
            found, rounds = _verified_until_over(databases, shoppers)
        for shopper in shoppers:
            shopper.result()
        assert found == []
        assert rounds > 1
        shop.until(lambda: still_under_way(databases) is None)
        assert list(check(databases, patience=0)) == []


def _goes_shopping(shop: WholeShop, number: int) -> None:
    """Place orders of every kind: completed, refused, out of stock, cancelled while under way."""
    for count in range(ORDERS_EACH):
        token = TOKENS[(number + count) % len(TOKENS)]
        wanted = {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}], "payment": {"token": token}}
        session = shop.ask("POST", "/shop/session", shop.server_key, wanted)["id"]
        if count % 3 == 0:
            shop.try_to("POST", f"/shop/session/{session}/cancel", shop.server_key)
        if count % 5 == 0:
            shop.ended(session)


def _verified_until_over(databases: Databases, shoppers: list[Future[None]]) -> tuple[list[Violation], int]:
    found: list[Violation] = []
    rounds = 0
    while not all(shopper.done() for shopper in shoppers):
        found += check(databases, patience=0.1)
        rounds += 1
    return found, rounds


def test_a_page_is_followed_by_a_rest_only_while_the_shop_has_something_to_do(tmp_path: Path) -> None:
    rests: list[float] = []
    with WholeShop(tmp_path) as shop, opened_shop(None, tmp_path) as databases:
        shop.ask("POST", "/shop/session", shop.server_key, {"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}]})
        shop.until(lambda: heartbeat_of(databases, None).beat_at > 0)
        beat = heartbeat_of(databases, None).beat_at
        assert list(check(databases, beat, pause=rests.append)) == []
        assert len(rests) == 1
        assert rests[0] > 0
        shop.until(lambda: still_under_way(databases) is None)
        idle, gone = beat + 5_000, beat + 60_000
        assert list(check(databases, idle, pause=rests.append)) == []
        assert list(check(databases, gone, pause=rests.append)) == []
    assert len(rests) == 1
