"""The fields of an HTML form that a browser has sent: read once for each request, before any page sees them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from http_api.problems import Problem

MOST_FIELDS = 1000


class FormData(dict[str, str]):
    """The fields by name, the last of each name; `all_of` has every one, as of several ticked boxes."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs

    def all_of(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


async def read_form(request: Request) -> None:
    """A dependency: puts the form of a request at `request.state.form`. The BodyMiddleware has limited its size."""
    body = await request.body() if request.method not in ("GET", "HEAD") else b""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # UnicodeDecodeError is one too
        raise Problem("invalid_request", "The form is not UTF-8, or has too many fields.") from None
    if any("\x00" in part for pair in pairs for part in pair):
        raise Problem("invalid_request", "The form holds a NUL character.")
    # Browsers send every end of a line as CR LF; what comes back on a page must be as it was typed.
    request.state.form = FormData([(name, value.replace("\r\n", "\n")) for name, value in pairs])
