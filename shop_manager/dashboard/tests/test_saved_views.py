"""Saved views: each operator's own, kept as the filter in the address."""

from __future__ import annotations

import re

import pytest

from http_api.principals import Principal
from shop_manager.dashboard import saved_views
from shop_manager.dashboard.tests.browser_client import BrowserClient, visible_text_of
from shop_manager.dashboard.tests.test_clerks_page import EVIL, LIST, listed
from shop_manager.tests.http_harness import SERVER, HttpHarness

VIEWS, OPS = "/dashboard/views", "op_night"
WHO = Principal("operator", "viewer", "viewer-of-the-night")


def shown(browser: BrowserClient, query: str = "") -> dict[str, str]:
    """Name → address of the views on the page."""
    text = browser.get(f"{LIST}?{query}").text
    return {name: link for link, name in re.findall(r'class="pill" href="([^"]+)"[^>]*><bdi>(.*?)</bdi>', text)}


def counted(browser: BrowserClient, path: str = LIST) -> str:
    """What the saved views of the page say."""
    [views] = re.findall(r'<ul (?:aria-label="Saved views"|class="counted").*?</ul>', browser.get(path).text, re.DOTALL)
    return visible_text_of(views)


def test_a_view_keeps_filter_and_order_under_a_name(harness: HttpHarness, viewer: BrowserClient) -> None:
    harness.opened(SERVER, customer="ada")
    harness.opened()
    viewer.get(f"{LIST}?customer=ada&sort=created_at&cursor=&kind=")
    response = viewer.post(VIEWS, name=" Ada's orders ", query="customer=ada&sort=created_at&cursor=x&kind=")
    assert (response.status_code, response.headers["location"]) == (303, f"{LIST}?sort=created_at&customer=ada")
    assert shown(viewer) == {"Ada&#39;s orders": f"{LIST}?sort=created_at&amp;customer=ada"}
    assert len(listed(viewer, "sort=created_at&customer=ada")) == 1


def test_the_view_one_looks_at_is_marked_and_can_be_forgotten(viewer: BrowserClient) -> None:
    viewer.get(f"{LIST}?status=open")
    viewer.post(VIEWS, name="open ones", query="status=open")
    assert 'aria-current="true"><bdi>open ones' in viewer.get(f"{LIST}?status=open").text
    assert "Save this view" not in visible_text_of(viewer.page.text)
    assert viewer.post(f"{VIEWS}/remove", name="open ones", query="status=open").status_code == 303
    assert shown(viewer) == {} and "Save this view" in viewer.text(f"{LIST}?status=open")


def test_views_are_each_operators_own(viewer: BrowserClient, admin: BrowserClient) -> None:
    viewer.post(VIEWS, name="mine", query="stuck=yes")
    assert shown(admin) == {}
    assert admin.post(f"{VIEWS}/remove", name="mine").status_code == 404
    assert list(shown(viewer)) == ["mine"]


def test_a_view_that_was_saved_over_ops_is_understood(harness: HttpHarness, viewer: BrowserClient) -> None:
    saved = {"name": "from a script", "query": "stuck=true&client_reference=r+7"}
    viewer.harness.operations.views.save(WHO, saved["name"], saved["query"])
    assert shown(viewer) == {"from a script": f"{LIST}?stuck=yes&amp;reference=r+7"}


def test_a_view_without_a_name_is_refused_in_words(viewer: BrowserClient) -> None:
    for name in ("", "   ", "x" * 81):
        response = viewer.post(VIEWS, name=name, query="status=open")
        assert response.status_code == 422 and "name" in visible_text_of(response.text)
        viewer.get(LIST)


def test_S10_a_views_name_shows_as_text(viewer: BrowserClient) -> None:
    viewer.post(VIEWS, name=EVIL.replace("/", ""), query="status=open")
    assert "<script>alert" not in viewer.get(LIST).text and list(shown(viewer)) == [
        "&lt;script&gt;alert(&#34;x&#34;)&lt;script&gt;"
    ]


def test_a_shared_view_has_its_owner_and_its_count_on_the_list_and_at_home(
    harness: HttpHarness, viewer: BrowserClient, operator: BrowserClient
) -> None:
    harness.opened(SERVER, customer="ada")
    harness.opened(SERVER, customer="ada")
    viewer.get(LIST)
    viewer.post(VIEWS, name="Ada", query="customer=ada", shared="yes")
    viewer.post(VIEWS, name="nobody's", query="customer=nobody")
    assert counted(viewer) == "Ada 2 shared nobody's 0" and counted(viewer, "/dashboard") == "Ada 2 nobody's 0"
    assert counted(operator) == counted(operator, "/dashboard") == f"Ada 2 by {WHO.name}"
    text = operator.text(f"{LIST}?customer=ada")
    assert "Forget the view" not in text and "Share" not in text and "Save this view" in text


def test_more_than_can_be_counted_cheaply_are_so_many_and_more(
    harness: HttpHarness, viewer: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "COUNTED", 2)
    viewer.get(LIST)
    viewer.post(VIEWS, name="open", query="status=open")
    harness.opened()
    harness.opened()
    assert counted(viewer) == "open 2"
    harness.opened()
    assert counted(viewer) == "open 2+"


def test_sharing_begins_and_ends_with_a_button_for_the_owner_and_an_admin(
    viewer: BrowserClient, operator: BrowserClient, admin: BrowserClient
) -> None:
    viewer.get(f"{LIST}?status=open")
    viewer.post(VIEWS, name="open", query="status=open")
    assert "Share with all: open" in viewer.text(f"{LIST}?status=open")
    viewer.post(VIEWS, name="open", query="status=open", owner=WHO.name, shared="yes")
    assert "Share no longer: open" in admin.text(f"{LIST}?status=open")
    operator.get(LIST)
    assert operator.post(f"{VIEWS}/remove", name="open", owner=WHO.name).status_code == 403
    assert admin.post(VIEWS, name="open", query="status=open", owner=WHO.name).status_code == 303
    assert shown(admin) == {} and list(shown(viewer)) == ["open"]


def test_home_says_how_many_views_there_are_besides(viewer: BrowserClient) -> None:
    for number in range(saved_views.AT_HOME + 2):
        viewer.post(VIEWS, name=f"view {number:02}", query="stuck=yes")
    assert counted(viewer, "/dashboard").endswith("view 07 0 2 more")
    assert 'href="/dashboard/clerks#views">2 more' in viewer.page.text and 'id="views"' in viewer.get(LIST).text


def test_a_view_that_the_list_does_not_know_is_named_and_can_be_forgotten(viewer: BrowserClient) -> None:
    views = viewer.harness.operations.views
    views.wrong_in = lambda query: ""  # as versions before kept them
    views.save(WHO, "old / one", "colour=red")
    text = viewer.text(LIST)
    assert "old / one cannot be shown: colour=red: there is no such filter: allowed are " in text
    assert counted(viewer, "/dashboard") == "1 more"
    viewer.get(LIST)
    assert viewer.post(f"{VIEWS}/remove", name="old / one", query="").status_code == 303
    assert "old / one" not in viewer.text(LIST)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour=red", "$.query: colour=red: there is no such filter: allowed are "),
        ("stuck=true&kind=lost", "$.query: kind=lost: allowed are "),
        ("older_than=soon", "$.query: older_than=soon: "),
        ("&".join(f"a{number}=1" for number in range(60)), "$.query: at most 50 parameters are allowed"),
    ],
)
def test_a_view_that_the_list_would_not_know_is_refused(viewer: BrowserClient, query: str, said: str) -> None:
    viewer.get(LIST)  # the dashboard brings what the list knows
    answered = viewer.harness.call("POST", "/ops/views", OPS, json={"name": "x", "query": query})
    assert answered.status_code == 422 and answered.json()["detail"].startswith(said)
    assert viewer.harness.get("/ops/views", OPS).json()["data"] == []


@pytest.mark.parametrize("name", ["risk/credit", "risk\\credit"])
def test_a_name_that_no_address_could_hold_is_refused(viewer: BrowserClient, name: str) -> None:
    answered = viewer.harness.call("POST", "/ops/views", OPS, json={"name": name, "query": "step=credit"})
    assert answered.status_code == 422 and answered.json()["detail"].startswith(
        "$.name: a name without / and \\ is needed"
    )
