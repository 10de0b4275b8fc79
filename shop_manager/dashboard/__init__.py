"""The operators' dashboard: HTML pages that work without JavaScript, behind a login (docs/design/dashboard.md)."""
