"""A shop behind a real nginx, with TLS and a path prefix: logging in, acting, logging out, and what is refused (S8).

And one that packs answers and buffers them: versions, event streams and long polls.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
import pytest

from clerk_cli.tests.processes import clerk
from tests.nginx import PACKS_AND_BUFFERS, PREFIX, free_port, nginx, program

PAGE = f"{PREFIX}/dashboard"


def field(name: str, page: httpx.Response) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, page.text
    return found.group(1)


@pytest.mark.parametrize("takes_prefix_off", [True, False], ids=["prefix taken off", "whole path passed on"])
def test_S8_behind_nginx_with_tls_and_a_prefix_an_operator_logs_in_acts_and_logs_out(
    tmp_path: Path, takes_prefix_off: bool
) -> None:
    program()
    port = free_port()
    public = f"https://localhost:{port}"
    with (
        clerk(
            "up", "--port", "0", "--warehouse", "manual", folder=tmp_path, CLERK_PUBLIC_URL=f"{public}{PREFIX}"
        ) as shop,
        nginx(tmp_path, port, shop.url, takes_prefix_off=takes_prefix_off) as trust,
        httpx.Client(base_url=public, verify=trust, headers={"Origin": public}, timeout=60) as browser,
    ):
        credentials = json.loads((tmp_path / ".clerk" / "credentials.json").read_text())
        ordered = browser.post(f"{PREFIX}/shop/session", json={"items": [{"sku": "SQUEAKY-BONE", "quantity": 1}]})
        session = ordered.json()
        assert ordered.headers["location"] == session["links"]["self"] == f"{PREFIX}/shop/session/{session['id']}"
        key = {"Authorization": f"Bearer {session['client_secret']}"}
        assert browser.get(ordered.headers["location"], headers=key).json()["id"] == session["id"]

        led = browser.get(f"{PAGE}/clerks/{session['id']}")
        assert (led.status_code, led.headers["location"].partition("?")[0]) == (303, f"{PAGE}/login")
        login = browser.get(led.headers["location"])
        admin = credentials["operator"]
        form = {"csrf": field("csrf", login), "name": admin["name"].upper(), "password": admin["password"]}
        refused = browser.post(f"{PAGE}/login", data=form, headers={"Origin": "https://evil.test"})
        assert refused.status_code == 403
        entered = browser.post(f"{PAGE}/login", data={**form, "next": field("next", login)})
        assert (entered.status_code, entered.headers["location"]) == (303, f"{PAGE}/clerks/{session['id']}")
        [cookie] = browser.cookies.jar
        assert (cookie.name, cookie.path, cookie.secure) == ("__Host-clerk_login", "/", True)

        page = browser.get(entered.headers["location"])
        for asset in re.findall(r'(?:href|src)="([^"]*/static/[^"]*)"', page.text):
            assert browser.get(asset).status_code == 200
        note = {"csrf": field("csrf", page), "version": field("version", page), "action": "note", "reason": "seen"}
        acted = browser.post(f"{PAGE}/clerks/{session['id']}/actions", data=note)
        assert (acted.status_code, acted.headers["location"]) == (303, f"{PAGE}/clerks/{session['id']}")
        assert "The note was added." in browser.get(acted.headers["location"]).text

        past_the_proxy = {"Cookie": f"__Host-clerk_login={cookie.value}", "Origin": public}
        direct = httpx.post(f"{shop.url}/dashboard/logout", data=note, headers=past_the_proxy)
        assert direct.status_code == 403 and f"The dashboard is at {public}{PAGE}" in direct.text

        left = browser.post(f"{PAGE}/logout", data=note)
        assert (left.status_code, left.headers["location"]) == (303, f"{PAGE}/login")
        assert browser.get(PAGE).status_code == 303
        audit = {"Authorization": f"Bearer {admin['key']}"}
        lines = browser.get(f"{PREFIX}/ops/audit", headers=audit).json()["data"]
        assert [line["action"] for line in lines] == ["logout", "note", "login"]


def test_behind_nginx_that_packs_and_buffers_versions_streams_and_waits_mean_what_they_did(tmp_path: Path) -> None:
    program()
    port = free_port()
    with (
        clerk("up", "--port", "0", "--warehouse", "manual", folder=tmp_path) as shop,
        nginx(tmp_path, port, shop.url, takes_prefix_off=True, options=PACKS_AND_BUFFERS) as trust,
        httpx.Client(base_url=f"https://localhost:{port}{PREFIX}", verify=trust, timeout=60) as browser,
    ):
        session = browser.post("/shop/session", json={}).json()
        own, path = {"Authorization": f"Bearer {session['client_secret']}"}, f"/shop/session/{session['id']}"
        cart = browser.get(f"/shop/carts/{session['id']}", headers=own)
        assert (cart.status_code, cart.headers["content-encoding"]) == (200, "gzip")
        weak = settled(browser, path, own)
        assert weak.startswith('W/"')
        assert browser.head(path, headers=own).headers["etag"].strip("W/") == weak.strip("W/")
        put = {**own, "If-Match": cart.headers["etag"]}
        assert cart.headers["etag"].startswith('W/"')
        assert browser.put(
            f"/shop/carts/{session['id']}/items/SQUEAKY-BONE", json={"quantity": 1}, headers=put
        ).is_success

        weak = settled(browser, path, own)
        began = monotonic()
        unchanged = browser.get(path, headers={**own, "If-None-Match": weak, "Prefer": "wait=2"})
        assert (unchanged.status_code, monotonic() - began >= 2) == (304, True)

        ticket = browser.post(f"{path}/events/ticket", headers=own).json()["href"]
        with browser.stream("GET", ticket) as stream, ThreadPoolExecutor(1) as other:
            events = (line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: "))
            assert json.loads(next(events))["status"] == "open", "it comes while the stream goes on"
            waiting = {**own, "If-None-Match": weak, "Prefer": "wait=30"}
            wait = other.submit(browser.get, path, headers=waiting)
            canceled = browser.post(f"{path}/cancel", headers={**own, "If-Match": weak})
            assert canceled.status_code in (200, 202)
            assert wait.result(30).json()["version"] > session["version"]
            assert [json.loads(each)["status"] for each in events][-1] == "canceled"


def settled(browser: httpx.Client, path: str, headers: dict[str, str]) -> str:
    """The ETag of the session once it does not change by itself any more."""
    while True:
        found = browser.get(path, headers=headers)
        etag = str(found.headers["etag"])
        if browser.get(path, headers={**headers, "If-None-Match": etag, "Prefer": "wait=1"}).status_code == 304:
            return etag
