"""What somebody had typed when the login had ended is kept while they are at an OpenID provider (decision 127)."""

from __future__ import annotations

import html
import re

from domain.times import hours
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.openid_server import OpenIdServer
from shop_manager.dashboard.tests.test_clerks_page import stuck_at_capture
from shop_manager.dashboard.tests.test_openid_login import BEGIN, browser, harness, logs_in, own, provider, running
from shop_manager.tests.http_harness import HttpHarness

__all__ = ["browser", "harness", "provider", "running"]


def test_what_was_typed_is_kept_while_its_sender_is_at_the_provider(
    harness: HttpHarness, browser: BrowserClient, provider: OpenIdServer
) -> None:
    clerk = stuck_at_capture(harness)
    address, fields = (
        f"/dashboard/clerks/{clerk}/actions",
        {"action": "note", "reason": "typed with care", "version": "5"},
    )
    logs_in(browser, provider)
    harness.now += hours(2)
    asked = browser.post(address, None, **fields)
    assert asked.status_code == 401 and f'action="{BEGIN}?next=' in asked.text
    held = html.unescape(re.findall(r'name="held" value="([^"]+)"', asked.text)[0])
    out = browser.post(BEGIN, held=held)
    url = out.headers["refresh"].removeprefix("0; url=")
    assert out.status_code == 200 and html.escape(url) in out.text and "typed with care" not in url
    refused = browser.get(own(provider.log_in(url)).replace("code=", "error=x&code="))
    assert refused.status_code == 403 and "typed with care" in refused.text, "it is held by the login page again"
    out = browser.post(BEGIN, held=held)
    back = browser.get(own(provider.log_in(out.headers["refresh"].removeprefix("0; url="))))
    assert back.status_code == 200 and "Nothing was done yet" in visible_text_of(back.text)
    assert f'action="{address}"' in back.text
    form = browser.post(address, None, **fields, look_first="yes")
    assert "Nothing was done." in visible_text_of(form.text) and "typed with care" in form.text
    assert "Note, by" not in visible_text_of(form.text)


def test_S8_who_begins_with_an_act_needs_the_visitors_token(browser: BrowserClient) -> None:
    browser.get("/dashboard/login")
    assert browser.post(BEGIN, csrf="0" * 64, held="").status_code == 401
    assert browser.post(BEGIN, {"Origin": "https://evil.test"}, held="").status_code == 403
