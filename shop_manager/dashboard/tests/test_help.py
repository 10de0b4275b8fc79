"""The guide as a page: headings that can be linked to, and HTML that stays text."""

from __future__ import annotations

from shop_manager.dashboard.help_page import anchor, as_html


def test_headings_can_be_linked_to() -> None:
    assert '<h2 id="undo-failing">' in as_html("## `undo_failing`\n\nwords")
    assert anchor("What *not* to do: ever") == "what-not-to-do-ever"


def test_S10_html_in_the_guide_stays_text() -> None:
    found = as_html("<script>alert(1)</script>\n\n<b onclick=x>y</b>")
    assert "&lt;script&gt;alert(1)" in found and "&lt;b onclick=x&gt;y" in found
    assert "<script>" not in found and "<b " not in found


def test_tables_are_tables() -> None:
    assert "<table>" in as_html("| a | b |\n|---|---|\n| 1 | 2 |")
