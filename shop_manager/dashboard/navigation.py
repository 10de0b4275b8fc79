"""The navigation bar: the dashboard's pages in their order, and the role that an operator needs to see each."""

from __future__ import annotations

from typing import NamedTuple

from http_api.keys import Role


class NavigationItem(NamedTuple):
    """A link of the bar. `role` is the least one that sees it."""

    name: str
    path: str
    role: Role = "viewer"


NAVIGATION = (
    NavigationItem("Home", "/dashboard"),
    NavigationItem("Clerks", "/dashboard/clerks"),
    NavigationItem("Activity", "/dashboard/activity"),
    NavigationItem("Parked", "/dashboard/parked"),
    NavigationItem("Processes", "/dashboard/processes"),
    NavigationItem("Figures", "/dashboard/figures"),
    NavigationItem("Bulk", "/dashboard/bulk"),
    NavigationItem("Audit", "/dashboard/audit"),
    NavigationItem("Alerts", "/dashboard/alerts"),
    NavigationItem("Runbooks", "/dashboard/runbooks"),
    NavigationItem("Checks", "/dashboard/checks"),
    NavigationItem("People", "/dashboard/people", "admin"),
    NavigationItem("Help", "/dashboard/help"),
)
