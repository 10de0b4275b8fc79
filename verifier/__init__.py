"""The checker: do the databases of all five services together say what the invariants say (`clerk verify`)?

Each service offers read-only facts about its Clerks in its `audit.py`; the rules over these facts are pure, a file
each. Nobody in here knows a table.
"""

from verifier.checking import check
from verifier.drift import Drift
from verifier.quiet import quiet

__all__ = ["Drift", "check", "quiet"]
