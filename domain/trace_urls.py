"""Where traces are looked at: an address with the place for a trace's id, as CLERK_TRACE_URL says. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

PLACE = "{trace_id}"
ALLOWED = f"allowed is https://NAME/PATH with {PLACE} once behind the name, and without a user or other braces"


def check_trace_url(template: str) -> str:
    """The template. ValueError says what is allowed."""
    before, place, after = template.partition(PLACE)
    try:
        parts = urlsplit(before)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    begins_a_path = before.count("/") > 2 or "?" in before or "#" in before
    plain = template.isascii() and template.isprintable() and not any(sign in before + after for sign in ' "<>{}')
    if not (usable and place and begins_a_path and plain):
        raise ValueError(ALLOWED)
    return template


def trace_link(template: str, trace_id: str | None) -> str | None:
    """None without a template, or for what was in no trace."""
    return template.replace(PLACE, trace_id) if template and trace_id else None
