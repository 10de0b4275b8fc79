"""I14, pure: the document and a service's row, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from verifier.drift import Drift
from verifier.facts import Facts
from verifier.remedies import RESTORED


def differences(
    facts: Facts, service: str, section: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[Drift]:
    """One drift for each field in which the Clerk's document (`expected`) and the service's row (`found`) differ."""
    for name, value in found.items():
        if expected.get(name) != value or type(expected.get(name)) is not type(value):
            told = f"{section}.{name} of the document: {_short(expected.get(name))}"
            yield Drift("I14", facts.id, told, f"at {service}: {_short(value)}", RESTORED)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
