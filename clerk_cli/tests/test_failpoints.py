"""CLERK_FAILPOINT kills a process at a named point, and cannot be armed where a production start is possible."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clerk_cli.errors import CliError
from clerk_cli.failpoints import arm_failpoint
from clerk_cli.tests.processes import PASSWORD, ROOT, clerk
from messaging import failpoints
from messaging.failpoints import POINTS, BadFailpoint, read_failpoint

BROKER = {"CLERK_BROKER_URL": f"amqp://risk:{PASSWORD}@127.0.0.1:1/"}
DEVELOPMENT = {"CLERK_FAILPOINT": "committed", "CLERK_DEVELOPMENT": "yes"}


@pytest.mark.parametrize(
    ("environment", "host", "says"),
    [
        ({"CLERK_FAILPOINT": "committed"}, "127.0.0.1", "is refused without CLERK_DEVELOPMENT=yes"),
        ({**DEVELOPMENT, "CLERK_DEVELOPMENT": "true"}, "127.0.0.1", "is refused without CLERK_DEVELOPMENT=yes"),
        (DEVELOPMENT, "0.0.0.0", "allowed are 127.0.0.1 and localhost"),
        (
            {**DEVELOPMENT, "CLERK_FAILPOINT": "lunch"},
            "127.0.0.1",
            "'lunch': allowed are POINT, POINT:NTH and POINT/NAME:NTH",
        ),
        ({**DEVELOPMENT, "CLERK_FAILPOINT": "published/ReserveCredit"}, "127.0.0.1", "a NAME goes with POINT one of"),
        ({**DEVELOPMENT, "CLERK_FAILPOINT": "committed:0"}, "127.0.0.1", "NTH must be 1 to"),
    ],
)
def test_a_failpoint_is_not_armed_in_what_may_be_a_production_start(
    environment: dict[str, str], host: str, says: str
) -> None:
    with pytest.raises(CliError, match="CLERK_FAILPOINT") as refused:
        arm_failpoint(environment, host)
    assert says in str(refused.value)
    assert failpoints._armed is None


def test_without_the_variable_nothing_is_armed() -> None:
    assert arm_failpoint({"CLERK_DEVELOPMENT": "yes"}, "127.0.0.1") is False
    assert failpoints._armed is None


def test_serve_refuses_to_start_with_a_failpoint_in_one_clear_line(tmp_path: Path) -> None:
    database = {"CLERK_DATABASE_URL": f"sqlite:///{tmp_path}/risk.db"}
    with clerk("serve", "risk", folder=tmp_path, CLERK_FAILPOINT="committed", **BROKER, **database) as running:
        assert running.ended() == 2
        assert running.errors.startswith("clerk: CLERK_FAILPOINT is set: it kills this process, and is refused without")
        assert running.errors.count("\n") == 1


def test_clerk_up_knows_no_failpoints(tmp_path: Path) -> None:
    """It is reachable in no way there: its faults are those of the switchboard."""
    with clerk("up", "--port", "0", folder=tmp_path, **DEVELOPMENT) as running:
        assert running.url
        running.signal(signal.SIGTERM)
        assert running.ended(within=5.0) == 0


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_is_armed_dies_at_its_point_and_at_no_other(point: str) -> None:
    program = (
        "from messaging.failpoints import POINTS, arm, reached, read_failpoint\n"
        f"arm(read_failpoint('{point}:2'))\n"
        f"for name in (*POINTS, *POINTS): print(name, flush=True); reached(name)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert ran.stderr == f"failpoint {point}:2 reached, killed\n"
    assert ran.stdout.split()[-1] == point
    assert ran.stdout.split().count(point) == 2


@pytest.mark.parametrize("text", ["", ":1", "committed:", "committed:x", "committed:10000000", "COMMITTED", "a\n"])
def test_what_names_no_failpoint_is_refused(text: str) -> None:
    with pytest.raises(BadFailpoint):
        read_failpoint(text)


def test_a_point_of_one_command_is_reached_only_with_a_message_of_it_in_hand() -> None:
    program = (
        "from messaging.failpoints import arm, reached, read_failpoint\n"
        "arm(read_failpoint('committed/ReleaseCredit:2'))\n"
        "for names in (['ReleaseCredit'], ['ReserveCredit'], [], ['ReserveCredit', 'ReleaseCredit']):\n"
        "    print(*names, flush=True); reached('committed', names=lambda: names)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert ran.stderr == "failpoint committed/ReleaseCredit:2 reached, killed\n"
    assert ran.stdout == "ReleaseCredit\nReserveCredit\n\nReserveCredit ReleaseCredit\n"
