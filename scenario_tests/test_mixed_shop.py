"""A shop that sells toys and downloads together, and what each shop's catalogue shows."""

from __future__ import annotations

from scenario_tests.shop import Shop, StockLevel


def test_a_toy_and_a_download_in_one_order(shop: Shop) -> None:
    # Given a shop that sells both
    shop.stocks("SQUEAKY-BONE", 5)
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-and-bones", kind="mixed")
    # When ada orders one of each, the toy is reserved and shipped, the download needs no warehouse
    clerk = shop.customer("ada", token="tok_ok").orders({"SQUEAKY-BONE": 2, "BARKING-MIXTAPE": 1}, shop=branch)
    clerk.is_at("shipping", "waiting")
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=2, shipped=0)
    clerk.gets_shipped().becomes("completed")
    # Then both were paid for
    assert shop.stock_of("SQUEAKY-BONE") == StockLevel(on_hand=3, reserved=0, shipped=2)
    assert clerk.session()["process"] == "standard/1"
    assert {(item["sku"], item["kind"]) for item in clerk.session()["items"]} == {
        (shop.sku("SQUEAKY-BONE"), "physical"),
        (shop.sku("BARKING-MIXTAPE"), "digital"),
    }


def test_downloads_only_do_not_wait_for_the_warehouse(shop: Shop) -> None:
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-and-bones", kind="mixed")
    clerk = shop.customer("ada", token="tok_ok").orders({"BARKING-MIXTAPE": 1}, shop=branch).becomes("completed")
    assert clerk.document()["shipment"]["status"] == "delivered"
    assert clerk.session()["fulfillment_status"] == "shipped"


def test_a_toy_that_is_out_of_stock_fails_the_whole_order(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 1)
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-and-bones", kind="mixed")
    ada = shop.customer("ada", token="tok_ok")
    with shop.books_stay_as_they_are():
        order = {"SQUEAKY-BONE": 2, "BARKING-MIXTAPE": 1}
        ada.orders(order, shop=branch).becomes("failed", because="out_of_stock")


def test_downloads_that_are_called_off_are_given_back(shop: Shop) -> None:
    shop.sells("BARKING-MIXTAPE")
    branch = shop.branch("barks-and-bones", kind="mixed")
    ada = shop.customer("ada", token="tok_capture_refused")
    clerk = ada.orders({"BARKING-MIXTAPE": 1}, shop=branch).becomes("failed", because="capture_refused")
    assert clerk.session()["fulfillment_status"] == "released"


def test_a_shops_catalogue_shows_only_what_it_sells(shop: Shop) -> None:
    shop.stocks("SQUEAKY-BONE", 5)
    shop.sells("BARKING-MIXTAPE")
    toy, download = shop.sku("SQUEAKY-BONE"), shop.sku("BARKING-MIXTAPE")
    for kind, wanted in (("physical", {toy}), ("digital", {download}), ("mixed", {toy, download})):
        branch = shop.branch(f"{kind}-branch", kind=kind)
        assert shop.catalogue_of(branch) & {toy, download} == wanted
