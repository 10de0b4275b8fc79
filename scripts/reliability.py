"""`make reliability`: writes docs/reliability.md from the recordings in docs/reliability; `record` makes these first.

`reliability.py` writes the page. `reliability.py record` records all parts, which takes an hour and more;
`reliability.py record PART…` some: faults, chaos, simulation, wrong-builds. A part that is recorded replaces what was
recorded of it, but `faults` with `-k EXPRESSION` behind it (pytest's) adds to it.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from domain.invariants import INVARIANTS  # noqa: E402  needs the line above
from scenario_tests.faults.fault import ROWS  # noqa: E402  as above
from scenario_tests.faults.kinds import ALL  # noqa: E402  as above
from scenario_tests.faults.record import FILE as RECORD  # noqa: E402  as above
from scenario_tests.faults.rounds import LINES  # noqa: E402  as above
from scripts.reliability_page import Recordings, page  # noqa: E402  as above

FOLDER, PAGE = ROOT / "docs" / "reliability", ROOT / "docs" / "reliability.md"
FAULTS, ROUNDS = "faults.jsonl", "chaos.jsonl"
SIMULATION, WRONG_BUILDS, RUN = "simulation.json", "wrong_builds.json", "run.json"
SEEDS = "3000"
MINUTES = "30"


def main(arguments: Sequence[str]) -> int:
    if not arguments:
        PAGE.write_text(page(read(FOLDER)), encoding="utf-8")
        return 0
    verb, *rest = arguments
    expression = rest[rest.index("-k") :][:2] if "-k" in rest else []
    names = rest[: rest.index("-k")] if expression else rest
    unknown = [name for name in names if name not in PARTS]
    if verb != "record" or unknown or (expression and names != ["faults"]):
        sys.stderr.write(
            "usage: reliability.py [record [faults [-k EXPRESSION] | chaos | simulation | wrong-builds]…]\n"
        )
        return 2
    FOLDER.mkdir(exist_ok=True)
    for name in names or PARTS:
        PARTS[name](expression)
    _write_json(RUN, described())
    return main([])


def read(folder: Path) -> Recordings:
    """The recordings in the folder; a part that was never recorded is empty."""

    def lines(name: str) -> list[dict[str, Any]]:
        path = folder / name
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def one(name: str) -> dict[str, Any]:
        path = folder / name
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    return Recordings(one(RUN), lines(FAULTS), lines(ROUNDS), one(SIMULATION), one(WRONG_BUILDS))


def described() -> dict[str, Any]:
    """The machine, and which faults and invariants this commit has; `harms` in the recordings are the faults."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "machine": {
            "machine": f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()} {platform.machine()}",
            "Python": platform.python_version(),
            "RabbitMQ": _package("rabbitmq-server"),
            "PostgreSQL": _package("postgresql"),
        },
        "rows": ROWS,
        "harms": dict(Counter(fault.row for fault in ALL)),
        "invariants": INVARIANTS,
    }


def record_faults(expression: Sequence[str]) -> None:
    path = FOLDER / FAULTS
    if not expression:
        path.unlink(missing_ok=True)
    tests = [sys.executable, "-m", "pytest", "-q", "scenario_tests/faults/test_faults.py", *expression]
    _run(_with_servers(tests), {RECORD: str(path), "CLERK_FAULTS": "all", "CLERK_STAGE": "services"})


def record_chaos(_expression: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        minutes = os.environ.get("MINUTES", MINUTES)
        nemesis = ["scenario_tests.faults.nemesis", "--minutes", minutes, "--report", folder]
        _run(_with_servers([sys.executable, "-m", *nemesis]))
        shutil.copyfile(Path(folder) / LINES, FOLDER / ROUNDS)


def record_simulation(_expression: Sequence[str]) -> None:
    _write_json(SIMULATION, _simulated("--seeds", SEEDS))


def record_wrong_builds(_expression: Sequence[str]) -> None:
    _write_json(WRONG_BUILDS, _simulated("--wrong-builds"))


PARTS: Mapping[str, Callable[[Sequence[str]], None]] = {
    "faults": record_faults,
    "chaos": record_chaos,
    "simulation": record_simulation,
    "wrong-builds": record_wrong_builds,
}


def _with_servers(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "scenario_tests.servers", "run", "--", *command]


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run it, whatever its exit code: what did not hold is in the recording, and so on the page."""
    subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}, check=False)  # noqa: S603  our own


def _simulated(*arguments: str) -> Any:
    command = [sys.executable, "-m", "clerk_cli", "simulate", "--json", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False).stdout)  # noqa: S603  our own


def _write_json(name: str, content: Any) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (FOLDER / name).write_text(text + "\n", encoding="utf-8")


def _package(name: str) -> str:
    """The version that Debian has installed."""
    asked = ["dpkg-query", "--show", "--showformat=${Version}", name]
    printed = subprocess.run(asked, capture_output=True, text=True, check=False) if shutil.which("dpkg-query") else None  # noqa: S603  no shell
    return (printed.stdout if printed and printed.returncode == 0 else "") or "of unknown version"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
