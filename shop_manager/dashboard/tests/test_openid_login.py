"""Logging in at an OpenID provider: role by claim; nothing that is not signed, ours, fresh and asked for (S2, S8)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from domain.times import minutes
from shop_manager.dashboard.cookies import LOGIN, PROVIDER
from shop_manager.dashboard.provider_logins import MOST
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.openid_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdServer,
    openid_server,
)
from shop_manager.settings import ShopManagerSettings
from shop_manager.tests.http_harness import HttpHarness
from shop_manager.tests.test_operations_api import read, stuck_one

ORIGIN = "https://shop.example"
BEGIN, CALLBACK, HOME = "/dashboard/login/oidc", "/dashboard/login/oidc/callback", "/dashboard"


def settings_for(provider: OpenIdServer, **more: Any) -> dict[str, Any]:
    return {
        "public_url": ORIGIN,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        **more,
    }


@pytest.fixture(scope="module")
def running() -> Iterator[OpenIdServer]:
    with openid_server() as provider:
        yield provider


@pytest.fixture
def provider(running: OpenIdServer) -> OpenIdServer:
    """An honest one, until a test makes it lie."""
    honest = OpenIdServer(running.issuer, key=running.key)
    running.__dict__.update({**honest.__dict__, "key": running.key})
    return running


@pytest.fixture
def harness(tmp_path: Path, provider: OpenIdServer) -> Iterator[HttpHarness]:
    harness = HttpHarness(tmp_path, **settings_for(provider))
    yield harness
    harness.notifier.close()
    harness.database.close()


@pytest.fixture
def browser(harness: HttpHarness) -> BrowserClient:
    return BrowserClient(harness, ORIGIN)


def logs_in(browser: BrowserClient, provider: OpenIdServer, target: str = HOME) -> httpx.Response:
    """Out to the provider and back: the last answer of ours."""
    out = browser.get(f"{BEGIN}?next={target}")
    assert out.status_code == 303, out.text
    return browser.get(own(provider.log_in(out.headers["location"])))


def own(url: str) -> str:
    assert url.startswith(f"{ORIGIN}{CALLBACK}?")
    return url.removeprefix(ORIGIN)


def is_refused(browser: BrowserClient, response: httpx.Response) -> None:
    assert response.status_code == 403, response.status_code
    assert "did not succeed" in visible_text_of(response.text)
    assert browser.cookies.get(f"__Host-{LOGIN}") is None
    assert browser.get(HOME).status_code == 303


def test_who_the_provider_vouches_for_is_logged_in_with_the_role_of_the_claim(
    browser: BrowserClient, provider: OpenIdServer
) -> None:
    assert "your organization" in browser.text("/dashboard/login")
    response = logs_in(browser, provider, "/dashboard/clerks")
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard/clerks")
    assert provider.refused == ""
    page = browser.text(HOME)
    assert "oidc:4711 Nora Petersen operator" in page and "Password" not in page.split("Is anything stuck")[0]
    assert browser.get("/dashboard/password").status_code == 404, "there is no password of ours"
    assert browser.get("/dashboard/people").status_code == 403
    assert browser.cookies.get(f"__Host-{PROVIDER}") is None


def test_S2_the_request_has_pkce_state_and_nonce_and_our_exact_address(
    browser: BrowserClient, provider: OpenIdServer
) -> None:
    asked = [parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query) for _ in range(2)]
    assert asked[0]["redirect_uri"] == [f"{ORIGIN}{CALLBACK}"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[0][name][0]) >= 43 and asked[0][name] != asked[1][name]


def test_S9_acts_and_logins_are_in_the_audit_under_subject_and_name(
    browser: BrowserClient, provider: OpenIdServer
) -> None:
    clerk = stuck_one(browser.harness)
    logs_in(browser, provider)
    browser.get(f"/dashboard/clerks/{clerk}")
    browser.post(f"/dashboard/clerks/{clerk}/actions", action="note", reason="seen", version=browser.version())
    browser.get(HOME)
    browser.post("/dashboard/logout")
    lines = read(browser.harness, "audit?who=oidc:4711")["data"]
    assert [line["action"] for line in lines] == ["logout", "note", "login"]
    assert {line["who"] for line in lines} == {"oidc:4711 Nora Petersen"}
    assert "oidc:4711 Nora Petersen" in str(read(browser.harness, f"clerks/{clerk}/timeline"))
    assert browser.get(HOME).status_code == 303, "our login has ended"


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another nonce": ({"claims": {"nonce": "another"}}, "invalid_claim nonce"),
    "no nonce": ({"claims": {"nonce": None}}, "missing_claim nonce"),
    "another audience": ({"claims": {"aud": "another-client"}}, "invalid_claim aud"),
    "several audiences without azp": ({"claims": {"aud": [CLIENT_ID, "another"]}}, "missing_claim azp"),
    "azp of another": ({"claims": {"aud": [CLIENT_ID, "another"], "azp": "another"}}, "invalid_claim azp"),
    "another issuer": ({"claims": {"iss": "https://evil.example"}}, "invalid_claim iss"),
    "expired": ({"claims": {"exp": int(time.time()) - 120}}, "expired_token exp"),
    "no end": ({"claims": {"exp": None}}, "missing_claim exp"),
    "from the future": ({"claims": {"iat": int(time.time()) + 86_400}}, "invalid_claim iat"),
    "not valid yet": ({"claims": {"nbf": int(time.time()) + 86_400}}, "invalid_claim nbf"),
    "no subject": ({"claims": {"sub": None}}, "missing_claim sub"),
    "an empty subject": ({"claims": {"sub": ""}}, "invalid_claim sub"),
    "a subject that is no text": ({"claims": {"sub": {"a": 1}}}, "invalid_claim sub"),
    "alg none": ({"header": {"alg": "none"}, "unsigned": True}, "unsupported_algorithm"),
    "no signature": ({"unsigned": True}, "bad_signature"),
    "a wrong at_hash": ({"claims": {"at_hash": "x"}}, "invalid_claim at_hash"),
    "another key": ({"sign_with": RSAKey.generate_key(2048, {"kid": "k1"}, private=True)}, "bad_signature"),
    "an unknown key": ({"header": {"kid": "k2"}}, "invalid_key_id"),
}


@pytest.mark.parametrize("lie", LIES)
def test_S2_an_id_token_that_is_not_right_in_every_part_logs_nobody_in(
    browser: BrowserClient, provider: OpenIdServer, lie: str
) -> None:
    change, why = LIES[lie]
    provider.__dict__.update(change)
    is_refused(browser, logs_in(browser, provider))
    [line] = read(browser.harness, "audit")["data"]
    assert (line["who"], line["outcome"], line["target"]) == ("nobody", "forbidden", "person:")
    assert line["detail"] == f"not vouched for: {why}, from 203.0.113.0/24"


def test_S2_the_public_key_is_no_secret_to_sign_with(browser: BrowserClient, provider: OpenIdServer) -> None:
    provider.__dict__.update(sign_with=provider.key.as_pem(private=False), header={"alg": "HS256"})
    is_refused(browser, logs_in(browser, provider))


def test_S2_a_state_is_used_once(browser: BrowserClient, provider: OpenIdServer) -> None:
    out = browser.get(BEGIN)
    cookie = browser.cookies[f"__Host-{PROVIDER}"]
    back = own(provider.log_in(out.headers["location"]))
    assert browser.get(back).status_code == 303
    browser.post("/dashboard/logout")
    again = BrowserClient(browser.harness, ORIGIN)
    again.cookies.set(f"__Host-{PROVIDER}", cookie, domain="shop.example")
    is_refused(again, again.get(back))


def test_S8_an_answer_in_another_browser_or_with_another_state_logs_nobody_in(
    browser: BrowserClient, provider: OpenIdServer
) -> None:
    attackers = BrowserClient(browser.harness, ORIGIN)
    theirs = own(provider.log_in(attackers.get(BEGIN).headers["location"]))
    is_refused(browser, browser.get(theirs))
    browser.get(BEGIN)
    is_refused(browser, browser.get(theirs))
    out = browser.get(BEGIN).headers["location"]
    is_refused(browser, browser.get(own(provider.log_in(out)).replace("state=", "state=x")))


def test_S2_who_comes_back_too_late_begins_anew(browser: BrowserClient, provider: OpenIdServer) -> None:
    out = browser.get(BEGIN)
    browser.harness.now += minutes(10)
    is_refused(browser, browser.get(own(provider.log_in(out.headers["location"]))))


def test_S2_the_answer_names_its_issuer(browser: BrowserClient, provider: OpenIdServer) -> None:
    for change in (("iss=", "iss=x"), ("&iss=", "&other=")):
        back = own(provider.log_in(browser.get(BEGIN).headers["location"]))
        is_refused(browser, browser.get(back.replace(*change)))


def test_a_refusal_of_the_provider_is_told_without_its_words(browser: BrowserClient, provider: OpenIdServer) -> None:
    state = parse_qs(urlsplit(browser.get(BEGIN).headers["location"]).query)["state"][0]
    response = browser.get(f"{CALLBACK}?error=access_denied&error_description=PLANTED&state={state}")
    is_refused(browser, response)
    assert "PLANTED" not in response.text and "PLANTED" not in str(read(browser.harness, "audit"))


@pytest.mark.parametrize("claim", [None, "", "king", 7, [], ["king"], {"admin": True}])
def test_S2_without_a_role_nobody_is_let_in_and_is_told_why(
    browser: BrowserClient, provider: OpenIdServer, claim: object
) -> None:
    provider.claims = {"clerk_role": claim}
    response = logs_in(browser, provider)
    assert response.status_code == 403 and "gives you no role here" in visible_text_of(response.text)
    assert browser.get(HOME).status_code == 303
    [line] = read(browser.harness, "audit")["data"]
    assert (line["target"], line["detail"]) == ("person:oidc:4711", "no role, from 203.0.113.0/24")


@pytest.mark.parametrize(
    ("settings", "claims", "role"),
    [
        ({}, {"clerk_role": ["viewer", "admin", "operator"]}, "admin"),
        (
            {"oidc_role_claim": "groups", "oidc_roles": "night=operator, bosses=admin"},
            {"groups": ["night", "x"]},
            "operator",
        ),
        ({"oidc_role_claim": "realm_access.roles"}, {"realm_access": {"roles": ["viewer"]}}, "viewer"),
        ({"oidc_role_claim": "https://shop.example/role"}, {"https://shop.example/role": "viewer"}, "viewer"),
    ],
)
def test_roles_come_from_the_claim_that_is_set(
    tmp_path: Path, provider: OpenIdServer, settings: dict[str, str], claims: dict[str, Any], role: str
) -> None:
    harness = HttpHarness(tmp_path, **settings_for(provider, **settings))
    browser, provider.claims = BrowserClient(harness, ORIGIN), claims
    assert logs_in(browser, provider).status_code == 303
    assert f"oidc:4711 Nora Petersen {role}" in browser.text(HOME)
    harness.database.close()


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": None, "preferred_username": "nora"}, "oidc:4711 nora"),
        ({"name": None}, "oidc:4711"),
        ({"name": "No\u200bra\n\u202eP"}, "oidc:4711 No ra P"),
        ({"name": "N" * 500}, "oidc:4711 " + "N" * 118),
        ({"sub": "x y"}, "oidc:sha256-"),
    ],
)
def test_S10_the_name_is_the_subject_and_what_can_be_seen_of_the_shown_one(
    browser: BrowserClient, provider: OpenIdServer, claims: dict[str, Any], name: str
) -> None:
    provider.claims = claims
    logs_in(browser, provider)
    [line] = read(browser.harness, "audit")["data"]
    assert line["who"].startswith(name) and (line["who"] == name or name.endswith("-"))


def test_a_new_key_of_the_provider_is_fetched(browser: BrowserClient, provider: OpenIdServer) -> None:
    before = provider.key
    assert logs_in(browser, provider).status_code == 303
    try:
        provider.key = RSAKey.generate_key(2048, {"kid": "k2"}, private=True)
        provider.header = {"kid": "k2"}
        assert browser.harness.provider is not None
        browser.harness.provider._clock = lambda: time.time() + 61
        assert logs_in(browser, provider).status_code == 303
    finally:
        provider.key = before


def test_a_provider_that_is_away_is_said_to_be_and_passwords_work_on(
    browser: BrowserClient, provider: OpenIdServer
) -> None:
    provider.status = 503
    response = browser.get(BEGIN)
    assert response.status_code == 503 and "does not answer" in visible_text_of(response.text)
    assert browser.logged_in("viewer").get(HOME).status_code == 200


@pytest.mark.parametrize(
    "configuration",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": "file:///etc/passwd"},
     {"authorization_endpoint": "javascript:alert(1)"}, {"authorization_endpoint": None}],
)  # fmt: skip
def test_S2_a_configuration_that_leads_elsewhere_is_not_followed(
    browser: BrowserClient, provider: OpenIdServer, configuration: dict[str, Any]
) -> None:
    provider.configuration = configuration
    out = browser.get(BEGIN)
    if out.status_code == 303:
        assert out.headers["location"].startswith(provider.issuer)
        is_refused(browser, browser.get(own(provider.log_in(out.headers["location"]))))
    else:
        assert out.status_code == 503


def test_S8_another_site_sends_nobody_to_the_provider(browser: BrowserClient) -> None:
    response = browser.get(BEGIN, sec_fetch_site="cross-site")
    assert (response.status_code, response.headers["location"]) == (303, "/dashboard/login")


def test_S4_only_so_many_may_be_under_way(browser: BrowserClient, provider: OpenIdServer) -> None:
    with browser.harness.database.begin() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO provider_logins (hash, state, nonce, verifier, return_path, began_at) "
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MOST}) "
            f"SELECT i, 's', 'n', 'v', '/', {browser.harness.now} FROM n"
        )
    assert browser.get(BEGIN).status_code == 503
    browser.harness.now += minutes(10)
    assert browser.get(BEGIN).status_code == 303
    for _ in range(20):
        last = browser.get(BEGIN)
    assert last.status_code == 429


def test_S2_logins_of_another_provider_are_over(tmp_path: Path, provider: OpenIdServer) -> None:
    harness = HttpHarness(tmp_path, **settings_for(provider))
    browser = BrowserClient(harness, ORIGIN)
    logs_in(browser, provider)
    assert browser.get(HOME).status_code == 200
    harness.database.close()
    for settings in ({"public_url": ORIGIN}, settings_for(provider, oidc_client_id="another")):
        other = HttpHarness(tmp_path, **settings)
        there = BrowserClient(other, ORIGIN)
        there.cookies = browser.cookies
        assert there.get(HOME).status_code == 303
        other.database.close()


def test_without_a_provider_there_is_no_way_to_one(tmp_path: Path) -> None:
    harness = HttpHarness(tmp_path)
    browser = BrowserClient(harness)
    assert "organization" not in browser.text("/dashboard/login")
    assert [browser.get(path).status_code for path in (BEGIN, CALLBACK)] == [404, 404]
    harness.database.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"oidc_issuer": "https://idp.example"}, "needs CLERK_OIDC_CLIENT_ID and CLERK_PUBLIC_URL"),
        ({"oidc_issuer": "http://idp.example"}, "https:// address"),
        ({"oidc_issuer": "https://idp.example?x=1"}, "no query"),
        ({"oidc_roles": "night=king"}, "roles are viewer, support, operator, admin"),
        ({"public_url": "https://shop.example/shop"}, "must not begin with one of ours"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_in_words(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ShopManagerSettings(_env_file=None, **settings)


def test_the_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "secret"
    kept.write_text("from-a-file\n")
    kept.chmod(0o600)
    monkeypatch.setenv("CLERK_OIDC_CLIENT_SECRET_FILE", str(kept))
    given: dict[str, Any] = {"public_url": ORIGIN, "oidc_issuer": "https://idp.example", "oidc_client_id": "clerk"}
    options = ShopManagerSettings(_env_file=None, **given).openid()
    assert options is not None and options.client_secret == "from-a-file" and "from-a-file" not in repr(options)
