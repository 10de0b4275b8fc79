"""Pure: compares the Clerk's document with a service's row, field by field (I14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from verifier.facts import Facts
from verifier.repairs import RESTORED
from verifier.violation import Violation


def differences(
    facts: Facts, service: str, section: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[Violation]:
    """A violation for each field in which the Clerk's document (`expected`) and the service's row (`found`) differ."""
    for name, value in found.items():
        if expected.get(name) != value or type(expected.get(name)) is not type(value):
            said = f"{section}.{name} of the document: {_short(expected.get(name))}"
            yield Violation("I14", facts.id, said, f"at {service}: {_short(value)}", RESTORED)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
