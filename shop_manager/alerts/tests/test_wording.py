"""What an alert says, in each of its forms; nothing in it is about a person, and nothing can lead elsewhere."""

from __future__ import annotations

from typing import Any

from domain.times import to_wire
from shop_manager.alerts.rules import CauseKey, What, Word
from shop_manager.alerts.wording import as_mail, as_slack, cause_path, facts, facts_of_test, headline, lines

NOON = 1_764_000_000_000
CAPTURE = CauseKey("standard/1", "capture", "no_answer", "no_answer")
CAUSE = {
    "money_at_risk": {"EUR": 2590, "JPY": 300},
    "money_to_settle": {},
    "oldest_since": to_wire(NOON),
    "oldest_seconds": 3700,
    "runbook": "https://wiki.example/capture",
}
LINK = "https://shop.example/dashboard/clerks?stuck=yes&kind=no_answer"


def told(what: What = "stuck", stuck: int = 30, before: int = 0, cause: CauseKey = CAPTURE) -> dict[str, Any]:
    word = Word("alt_1", what, cause, stuck, before, "alt_0")
    return facts(word, "payment", CAUSE if stuck else None, NOON, LINK)


def test_the_first_line_says_how_many_and_where() -> None:
    assert headline(told()) == "30 orders stuck: no answer at capture (payment)"
    assert headline(told(stuck=1)) == "1 order stuck: no answer at capture (payment)"
    assert headline(told("grown", 60, 30)) == "60 orders stuck, 30 before: no answer at capture (payment)"
    assert headline(told("over", 0, 60)) == "over: no answer at capture (payment), no order is stuck any more"


def test_S6_the_facts_are_causes_counts_money_and_times_alone() -> None:
    alert = told()
    assert alert["cause"] == {**CAPTURE._asdict(), "service": "payment"}
    assert (alert["count"], alert["money_at_risk"]) == (30, {"EUR": 2590, "JPY": 300})
    assert set(alert) == {
        "id", "what", "at", "episode", "cause", "count", "count_before", "money_at_risk", "money_to_settle",
        "oldest_since", "oldest_seconds", "means", "move", "link", "runbook",
    }  # fmt: skip


def test_the_lines_name_the_money_the_age_and_what_to_do() -> None:
    said = "\n".join(lines(told()))
    assert "€25.90 + ¥300" in said and "1 h 1 min" in said and "payment has not answered capture" in said
    assert "60 were stuck when it was told last" in "\n".join(lines(told("over", 0, 60)))


def test_slack_reads_no_markup_in_what_a_service_says() -> None:
    text = as_slack(told(cause=CAPTURE._replace(code="<!channel> & <http://evil.test|here>")))["text"]
    assert "<!channel>" not in text and "&lt;!channel&gt; &amp; &lt;http" in text
    assert f"<{LINK.replace('&', '&amp;')}|Open the dashboard>" in text
    assert "alt_1" in text and "<https://wiki.example/capture|Runbook>" in text


def test_a_mail_has_one_line_as_its_subject() -> None:
    subject, text = as_mail(told(cause=CAPTURE._replace(step="capture\nBcc: eve@evil.test")))
    assert "\n" not in subject
    assert LINK in text and "alt_1" in text and "Runbook: https://wiki.example/capture" in text
    assert "Runbook" not in as_mail(told("over", 0, 3))[1]


def test_the_link_leads_to_the_clerks_of_the_cause() -> None:
    assert cause_path(CAPTURE) == (
        "/dashboard/clerks?stuck=yes&process=standard%2F1&step=capture&kind=no_answer&code=no_answer"
    )


def test_a_test_alert_says_that_nothing_is_wrong() -> None:
    alert = facts_of_test("alt_t", NOON, None)
    assert (
        "test alert" in headline(alert) and "Nothing is wrong" in as_mail(alert)[1] and "alt_t" in str(as_slack(alert))
    )
