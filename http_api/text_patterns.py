"""The patterns of texts in requests; `validation_errors` says each of them in words. Pure."""

from __future__ import annotations

PRINTABLE = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"
"""A text for people: no control characters, and not only blanks. It goes with `conventions.NOT_BLANK`."""
NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
SKU = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
PROVIDER_TEXT = r"^[!-~]{1,255}$"
"""A payment provider's token or key."""
EMAIL = r"^[^\s\x00-\x1f\x7f@]+@[^\s\x00-\x1f\x7f@]+$"
