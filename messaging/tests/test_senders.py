"""Which user of the broker may say what (security S13)."""

from __future__ import annotations

import pytest

from domain.messages import ParkedNotice
from messaging.senders import BY_NAME, Senders
from messaging.tests.counting_service import command


def test_S13_a_service_has_a_user_of_its_own_named_by_the_template() -> None:
    named = Senders("acme-{service}")
    assert named.user_of("risk") == "acme-risk"
    assert named.why_not("acme-risk", "risk") is None
    assert named.why_not("risk", "risk") == "it was sent by the broker's user 'risk': only 'acme-risk' may say this"


@pytest.mark.parametrize("user", [None, "", "shop", "Risk", "risk ", "{service}", "guest"])
def test_S13_nobody_else_speaks_for_a_service(user: str | None) -> None:
    assert "only 'risk' may say this" in (BY_NAME.why_not(user, "risk") or "")


def test_S13_a_user_whom_all_share_and_one_who_names_nobody_may_speak_for_all_where_that_is_said() -> None:
    changing = Senders(shared="clerk")
    assert [changing.why_not(user, "risk") for user in ("clerk", None, "risk")] == [None, None, None]
    assert "only 'risk' may say this" in (changing.why_not("shop", "risk") or "")


def test_S13_a_command_is_shop_managers_and_a_notice_its_services_to_say() -> None:
    notice = ParkedNotice("risk", "prk_1", "it failed", "risk.commands.v1", None, b"", 0, 1)
    assert BY_NAME.why_forged(command(), "shop_manager") is None
    assert "only 'shop_manager'" in (BY_NAME.why_forged(command(), "risk") or "")
    assert BY_NAME.why_forged(notice, "risk") is None
    assert "only 'risk'" in (BY_NAME.why_forged(notice, "shop_manager") or "")


def test_S13_to_shop_manager_speak_the_services_and_to_them_shop_manager() -> None:
    assert BY_NAME.why_stranger("risk", "shop_manager") is None
    assert BY_NAME.why_stranger("shop_manager", "risk") is None
    assert BY_NAME.why_stranger("shop_manager", "shop_manager") is not None
    assert BY_NAME.why_stranger("shop", "risk") is not None


def test_one_name_for_all_services_is_no_template() -> None:
    with pytest.raises(ValueError, match=r"\{service\}"):
        Senders("clerk")
