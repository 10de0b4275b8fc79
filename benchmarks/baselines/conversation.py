"""How a baseline's program is told what to do: one JSON object a line on standard input, and its answers on output.

`{"do": "engine", "orders": 300}` opens that many while the workers are held, says `{"opened": 300}`, waits for
`{"do": "go"}`, and says `{"seconds": 8.1}` when all have ended. `{"do": "alone", "orders": 20}` plays one after the
other and says `{"seconds": [0.06, …]}`. The first line it says is `{"ready": true, "versions": {…}}`.
"""

from __future__ import annotations

import json
import sys
from time import monotonic
from typing import Any, Protocol


class Player(Protocol):
    """A baseline that is set up, with its workers running."""

    versions: dict[str, str]

    def hold(self) -> None:
        """Nothing is done from now on."""

    def open(self, orders: int) -> None:
        """Open that many orders."""

    def let_go(self) -> None: ...

    def wait(self) -> None:
        """Until no order is under way; RuntimeError when one has not ended well."""

    def one(self) -> float:
        """Play one order; the seconds from opened to ended."""


def converse(player: Player) -> None:
    """Do what is asked, until standard input ends."""
    _say({"ready": True, "versions": player.versions})
    for line in sys.stdin:
        wanted = json.loads(line)
        if wanted["do"] == "engine":
            player.hold()
            player.open(wanted["orders"])
            _say({"opened": wanted["orders"]})
            sys.stdin.readline()
            began = monotonic()
            player.let_go()
            player.wait()
            _say({"seconds": monotonic() - began})
        elif wanted["do"] == "alone":
            _say({"seconds": [player.one() for _ in range(wanted["orders"])]})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
