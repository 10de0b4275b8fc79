"""Log lines: one a line, with the service's name, and harmless whatever came over the wire (security S18)."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from clerk_cli import logs
from domain.visible_text import UNSEEN

EVIL = "a\nforged \x1b[31mred\u202e\x85\u200b\ufeff\u2028\u2029\u3164\ufe0f\U000e0041"


def test_json_lines_name_service_level_and_moment(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, level=logging.INFO, service="risk")
    structlog.get_logger().warning("waiting", waiting_for=EVIL, clerk="clk_1")
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    told = json.loads(line)
    assert (told["event"], told["service"], told["level"], told["clerk"]) == ("waiting", "risk", "warning", "clk_1")
    assert told["timestamp"].endswith("Z")
    assert told["waiting_for"].isprintable()


def test_a_line_that_names_its_service_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, level=logging.INFO, service="clerk up")
    structlog.get_logger().info("hello", service="shop")
    assert json.loads(capsys.readouterr().err)["service"] == "shop"


@pytest.mark.parametrize("as_json", [True, False])
def test_S18_nothing_that_came_over_the_wire_forges_a_line_or_steers_the_terminal(
    as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(as_json=as_json, level=logging.INFO, service="risk")
    structlog.get_logger().info(EVIL, one=EVIL, many=[EVIL], inside={EVIL: EVIL})
    logging.getLogger("library").warning("words %s", EVIL)
    lines = capsys.readouterr().err
    assert lines.count("\n") == 2
    assert all(character.isprintable() or character == "\n" for character in lines)
    assert not UNSEEN.search(lines.replace("\n", ""))
    for named in ("x85", "u200b", "ufeff", "u2028", "u2029", "u3164", "ufe0f", "U000e0041"):
        assert f"\\{named}" in lines


def test_an_exception_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=False, level=logging.INFO, service="risk")
    try:
        raise ValueError(EVIL)
    except ValueError:
        structlog.get_logger().exception("broke")
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "\x1b" not in told


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=False, level=logging.WARNING, service="clerk up")
    structlog.get_logger().info("chatter")
    logging.getLogger("uvicorn.error").info("chatter")
    assert capsys.readouterr().err == ""


def test_T6_a_tick_that_is_skipped_is_not_told_and_one_that_fails_is(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, level=logging.INFO, service="risk")
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    logging.getLogger("apscheduler.executors.default").error("Job raised an exception")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["Job raised an exception"]
