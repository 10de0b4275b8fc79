"""A password is not in `ps`, even where it was given on the command line (security S16)."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from clerk_cli.hidden_arguments import VARIABLE, again, masked, restored
from clerk_cli.tests.processes import PASSWORD, ClerkProcess, clerk

URL = f"postgresql://clerk:{PASSWORD}@127.0.0.1:5432/{{service}}"
SHOWN = "postgresql://clerk:***@127.0.0.1:5432/{service}"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["migrate", "--database", URL], ["migrate", "--database", SHOWN]),
        (["up", f"--database={URL}"], ["up", f"--database={SHOWN}"]),
        (["order", "BONE=1", "--url", f"http://a:{PASSWORD}@x"], ["order", "BONE=1", "--url", "http://a:***@x"]),
    ],
)
def test_a_command_with_a_password_is_started_anew_without_it(arguments: list[str], shown: list[str]) -> None:
    assert masked(arguments) == shown
    assert again(arguments, ["python", "-m", "clerk_cli", *arguments], {}) == ["python", "-m", "clerk_cli", *shown]
    assert again(arguments, ["python", "-m", "clerk_cli", *arguments], {VARIABLE: "[]"}) is None


@pytest.mark.parametrize(
    "arguments", [["up"], ["order", "BONE=1"], ["migrate", "--database", "postgresql://clerk@127.0.0.1/{service}"]]
)
def test_a_command_without_a_password_is_left_alone(arguments: list[str]) -> None:
    assert again(arguments, ["clerk", *arguments], {}) is None
    assert restored(arguments, {}) is arguments


def test_the_second_start_has_the_arguments_as_they_were_and_leaves_them_to_nobody(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = {VARIABLE: json.dumps(["migrate", "--database", URL])}
    assert restored(["migrate", "--database", SHOWN], environment) == ["migrate", "--database", URL]
    assert environment == {}
    said = capsys.readouterr().err
    assert said.startswith("clerk: warning: a password on the command line is seen by everybody")
    assert said.count("\n") == 1 and PASSWORD not in said


def arguments_of(process: ClerkProcess) -> str:
    """As `ps` shows them."""
    return Path(f"/proc/{process.pid}/cmdline").read_text()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_S16_no_running_process_has_a_password_in_its_arguments(tmp_path: Path) -> None:
    """A database that takes the connection and says nothing keeps the command waiting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://clerk:{PASSWORD}@127.0.0.1:{silent.getsockname()[1]}/{{service}}"
        with clerk("migrate", "--database", url, folder=tmp_path) as running:
            running.wait_for_error("clerk: warning: a password on the command line")
            assert PASSWORD not in arguments_of(running)
            assert "postgresql://clerk:***@127.0.0.1" in arguments_of(running)
    (tmp_path / "password").write_text(PASSWORD)
    from_file = {"CLERK_DATABASE_URL": URL.replace(f":{PASSWORD}", ""), "CLERK_DATABASE_PASSWORD_FILE": "password"}
    with clerk("migrate", folder=tmp_path, **from_file) as running:
        assert running.ended() == 2
        assert "the database of shop_manager: connection to server at" in running.errors
        assert "warning" not in running.errors and PASSWORD not in running.errors
    assert VARIABLE not in os.environ
