"""The operators' dashboard: pages in HTML that work without JavaScript, behind a login (dashboard.md)."""
