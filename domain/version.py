"""The version of the product: the package, `clerk --version` and the OpenAPI documents take it from here."""

from __future__ import annotations

VERSION = "0.1.0"
