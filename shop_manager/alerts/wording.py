"""What an alert says: the facts of it, and those as a line, a mail or a message for Slack. Pure.

Nothing of it is about a person: causes, counts, sums of money and times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from domain.times import to_wire
from domain.visible_text import shown
from shop_manager.alerts.rules import CauseKey, Word
from shop_manager.operations.causes import explained
from shop_manager.operations.formats import duration, money

PRODUCT = "Shop Clerk"
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def facts(
    word: Word, service: str | None, cause: Mapping[str, Any] | None, now: int, link: str | None
) -> dict[str, Any]:
    """The body of an alert. `cause`: as `stuck_causes` has it now, None when it is over; `link`: its page."""
    key = word.cause
    told = explained(key.kind, key.code, service, key.step)
    return {
        "id": word.id,
        "what": word.what,
        "at": to_wire(now),
        "episode": word.episode,
        "cause": {**key._asdict(), "service": service},
        "count": word.stuck,
        "count_before": word.before,
        "money_at_risk": dict(cause["money_at_risk"]) if cause else {},
        "money_to_settle": dict(cause["money_to_settle"]) if cause else {},
        "oldest_since": cause["oldest_since"] if cause else None,
        "oldest_seconds": cause["oldest_seconds"] if cause else None,
        "means": told["means"],
        "move": told["move"],
        "link": link,
        "runbook": cause["runbook"] if cause else None,
    }


def facts_of_test(alert: str, now: int, link: str | None) -> dict[str, Any]:
    """The body of a test alert."""
    return {"id": alert, "what": "test", "at": to_wire(now), "episode": alert, "link": link, "runbook": None}


def cause_path(cause: CauseKey) -> str:
    """The page that lists the Clerks of a cause."""
    return f"/dashboard/clerks?{urlencode({'stuck': 'yes', **cause._asdict()})}"


def headline(alert: Mapping[str, Any]) -> str:
    """One line: `30 orders stuck: no answer at capture (payment)`."""
    if alert["what"] == "test":
        return "test alert: alerts of this shop arrive here"
    cause = alert["cause"]
    service = f" ({cause['service']})" if cause["service"] else ""
    where = shown(f"{cause['kind'].replace('_', ' ')} at {cause['step']}{service}", keep="")
    if alert["what"] == "over":
        return f"over: {where}, no order is stuck any more"
    count = alert["count"]
    grown = f", {alert['count_before']} before" if alert["what"] == "grown" else ""
    return f"{count} {'order' if count == 1 else 'orders'} stuck{grown}: {where}"


def lines(alert: Mapping[str, Any]) -> list[str]:
    """What is said below the headline, without the link."""
    if alert["what"] == "test":
        return ["Somebody pressed the test button. Nothing is wrong."]
    cause = alert["cause"]
    said = [f"Process {cause['process']}, code {shown(cause['code'], keep='')}"]
    if alert["what"] == "over":
        return [*said, f"{alert['count_before']} were stuck when it was told last."]
    age = duration(alert["oldest_seconds"] * 1000)
    to_settle = _sums(alert.get("money_to_settle", {}))
    settling = [f"Paid and shipped, not settled: {to_settle}."] if to_settle else []
    at_risk = _sums(alert["money_at_risk"]) or "none"
    return [
        *said,
        f"Money at risk: {at_risk}. Oldest: {age}.",
        *settling,
        f"{alert['means']}.",
        f"Your move: {alert['move']}.",
    ]


def _sums(amounts: Mapping[str, int]) -> str:
    return " + ".join(money(amount, currency) for currency, amount in sorted(amounts.items()))


def as_slack(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The body that Slack's incoming webhooks take, and those that are like them."""
    told = "\n".join([f"*{_plain(f'{PRODUCT}: {headline(alert)}')}*", *map(_plain, lines(alert))])
    named = (("Open the dashboard", alert["link"]), ("Runbook", alert.get("runbook")))
    links = [f"<{_plain(link)}|{name}>" for name, link in named if link]
    return {"text": "\n".join([told, *links, f"`{alert['id']}`"])}


def as_mail(alert: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text."""
    links = [f"\n{name}: {alert[name.lower()]}" for name in ("Link", "Runbook") if alert.get(name.lower())]
    text = "\n".join([*lines(alert), *links, f"\nAlert {alert['id']}, {alert['at']}"])
    return f"[{PRODUCT}] {headline(alert)}", f"{text}\n"


def _plain(text: str) -> str:
    """Slack reads these three characters as markup, and nothing else that could lead anywhere."""
    return "".join(_ESCAPED.get(character, character) for character in text)
