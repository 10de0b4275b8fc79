"""The navigation bar: the dashboard's pages in their order, and the role that an operator needs to see each."""

from __future__ import annotations

from typing import NamedTuple

from http_api.keys import Role


class NavigationItem(NamedTuple):
    """A link of the bar. `role` is the least one that sees it; `key` leads there after `g` (dashboard.js)."""

    name: str
    path: str
    role: Role = "viewer"
    key: str = ""


NAVIGATION = (
    NavigationItem("Home", "/dashboard", key="h"),
    NavigationItem("Clerks", "/dashboard/clerks", key="l"),
    NavigationItem("Activity", "/dashboard/activity", key="a"),
    NavigationItem("Parked", "/dashboard/parked", key="p"),
    NavigationItem("Processes", "/dashboard/processes"),
    NavigationItem("Figures", "/dashboard/figures", key="f"),
    NavigationItem("Bulk", "/dashboard/bulk"),
    NavigationItem("Audit", "/dashboard/audit", key="u"),
    NavigationItem("Alerts", "/dashboard/alerts"),
    NavigationItem("Runbooks", "/dashboard/runbooks"),
    NavigationItem("Checks", "/dashboard/checks"),
    NavigationItem("People", "/dashboard/people", "admin"),
    NavigationItem("Help", "/dashboard/help"),
)
