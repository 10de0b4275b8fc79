"""The alert rules and the dashboard: promtool takes them, each rule is tested, and each leads to its paragraph."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenario_tests.prometheus import FOLDER, promtool
from shop_manager.dashboard.help_page import anchor

DOCS = FOLDER.parents[1] / "docs"
ALERTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
OURS = re.compile(r"\bclerk_[a-z_]+\b")


def test_promtool_takes_the_rules_and_the_configuration(tmp_path: Path) -> None:
    for name in ("alerts.yml", "prometheus.yml"):
        (tmp_path / name).write_text((FOLDER / name).read_text())
    (tmp_path / "monitoring.key").write_text("mk_…")
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", "alerts.yml")
    assert "is valid" in promtool("check", "config", "prometheus.yml", folder=tmp_path)


def test_each_alert_fires_when_it_should_and_is_quiet_else() -> None:
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")
    expected = [test["alert_rule_test"][0] for test in TESTS]
    tried = {(each["alertname"], bool(each["exp_alerts"])) for each in expected}
    assert tried == {(alert["alert"], fires) for alert in ALERTS for fires in (True, False)}


def test_promtool_finds_out_a_rule_that_does_not_do_what_its_test_says(tmp_path: Path) -> None:
    (tmp_path / "alerts_test.yml").write_text((FOLDER / "alerts_test.yml").read_text())
    broken = (FOLDER / "alerts.yml").read_text().replace("clerk_workers_ended > 0", "clerk_workers_ended > 1")
    (tmp_path / "alerts.yml").write_text(broken)
    with pytest.raises(AssertionError, match="ClerkWorkerEnded"):
        promtool("test", "rules", "alerts_test.yml", folder=tmp_path)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_each_alert_says_what_it_is_and_leads_to_its_paragraph_of_the_night_guide(alert: dict[str, Any]) -> None:
    said = alert["annotations"]
    assert said["summary"] and said["description"].endswith((".", "?"))
    assert alert["labels"]["severity"] in ("page", "ticket")
    page, _, place = said["runbook"].partition("#")
    assert page == "docs/operators.md"
    headings = re.findall(r"^#+ (.*)$", (DOCS / "operators.md").read_text(), re.MULTILINE)
    assert place in {anchor(heading) for heading in headings}


def test_the_guide_names_every_figure_that_rules_and_dashboard_look_at() -> None:
    guide = (DOCS / "how-to" / "monitor.md").read_text()
    looked_at = set(OURS.findall(json.dumps(ALERTS) + json.dumps(DASHBOARD)))
    names = {re.sub(r"_(bucket|count|sum)$", "", name) if "seconds" in name else name for name in looked_at}
    assert {name for name in names if f"`{name}`" not in guide and f"`{name}{{" not in guide} == set()


def test_no_two_panels_have_one_place_or_number() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(taken)) == len(taken) and max(x for x, _ in taken) == 23
