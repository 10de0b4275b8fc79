"""Checks whether the databases of all five services together satisfy the invariants I1 … I18 (`clerk verify`).

Each service offers read-only facts about its Clerks in its `facts.py`. The rules over these facts are pure, one file
for each subject. No module here knows a table.
"""

from verifier.checking import check
from verifier.quiescence import still_under_way
from verifier.violation import Violation

__all__ = ["Violation", "check", "still_under_way"]
