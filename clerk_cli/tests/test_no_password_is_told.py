"""No command tells any part of a password, whatever is in it and whatever goes wrong (security S16)."""

from __future__ import annotations

import contextlib
import io
import logging
import signal
from functools import cache
from pathlib import Path
from string import ascii_letters
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from clerk_cli.main import run
from clerk_cli.tests.processes import KEYS_ELSEWHERE, NOWHERE, clerk

NASTY = "p@ss/w:rd%41?#"
_CHARACTERS = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"], exclude_characters=ascii_letters)
PASSWORDS = st.text(_CHARACTERS, min_size=4, max_size=30)
"""Without ASCII letters, of which our own sentences are made: parts of those are no parts of a password."""
COMMANDS = ("migrate", "verify", "repair --dry-run", "key create --scope server", "settings risk")
FLAGS = ("migrate --database {url}", "up --port 0 --database {url}", "up --port 0 --broker {url}", "list --url {url}")
HOST = "127.0.0.1:1"
OPERATOR = {"CLERK_OPERATOR_KEY": "op_x"}
STRONG = "".join(map(chr, range(0x2654, 0x2660)))
"""Twelve chessmen: not easily guessed, so the command goes on to the server."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told_by(*arguments: str, variables: dict[str, str]) -> str:
    """All that the command says, without what it always says."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for name, value in variables.items():
            patched.setenv(name, value)
        run(arguments)
    logging.getLogger().handlers.clear()
    return said.getvalue()


def parts_in(password: str, text: str) -> set[str]:
    """The parts of four characters or more of a password that are in the text."""
    return {password[at : at + 4] for at in range(len(password) - 3)} & {
        text[at : at + 4] for at in range(len(text) - 3)
    }


def check(password: str, written: str, *arguments: str, variables: dict[str, str], harmless: str) -> None:
    """`harmless` is all that the same command may say, with another password."""
    told = told_by(*arguments, variables=variables)
    unavoidable = parts_in(password, harmless) | parts_in(written, harmless)
    assume(not unavoidable)
    assert parts_in(password, told) | parts_in(written, told) == set(), told


@cache
def harmless_words(*arguments: str, scheme: str, variable: str | None) -> str:
    """What the command says of a password of none of these characters: clear where it ends or not, weak or strong."""
    words = []
    for written in ("\N{SNOWMAN}" * 9, "\N{SNOWMAN}" * 9 + "/@", "\N{SNOWMAN}" * 2, STRONG, quote(STRONG)):
        url = f"{scheme}://clerk:{written}@{HOST}/"
        given_arguments = [each.replace("{url}", url) for each in arguments]
        words.append(told_by(*given_arguments, variables={variable: url} if variable else OPERATOR))
    return "\n".join(words)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=PASSWORDS, encoded=st.booleans())
@example(password=NASTY, encoded=False)
@example(password=NASTY, encoded=True)
@example(password="0000tion", encoded=False)
@pytest.mark.parametrize("variable", ["CLERK_DATABASE_URL", "CLERK_BROKER_URL"])
@pytest.mark.parametrize("command", COMMANDS)
def test_S16_no_part_of_a_password_in_a_setting_is_told(
    command: str, variable: str, password: str, encoded: bool
) -> None:
    scheme = "postgresql" if "DATABASE" in variable else "amqp"
    written = quote(password, safe="") if encoded else password
    url = f"{scheme}://clerk:{written}@{HOST}/"
    harmless = harmless_words(*command.split(), scheme=scheme, variable=variable)
    check(password, written, *command.split(), variables={variable: url}, harmless=harmless)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(password=PASSWORDS, encoded=st.booleans())
@example(password=NASTY, encoded=False)
@example(password=NASTY, encoded=True)
@example(password="0000tion", encoded=False)
@pytest.mark.parametrize("command", FLAGS)
def test_S16_no_part_of_a_password_in_a_flag_is_told(command: str, password: str, encoded: bool) -> None:
    scheme = "http" if "--url" in command else "amqp" if "--broker" in command else "postgresql"
    written = quote(password, safe="") if encoded else password
    arguments = [each.replace("{url}", f"{scheme}://clerk:{written}@{HOST}/") for each in command.split()]
    variables = OPERATOR
    harmless = harmless_words(*command.split(), scheme=scheme, variable=None)
    check(password, written, *arguments, variables=variables, harmless=harmless)


@pytest.mark.parametrize("command", COMMANDS)
def test_S16_a_password_from_a_file_is_told_neither(command: str, tmp_path: Path) -> None:
    (tmp_path / "it").write_text(NASTY)
    variables = {"CLERK_DATABASE_URL": f"postgresql://clerk@{HOST}/x", "CLERK_DATABASE_PASSWORD_FILE": "it"}
    told = told_by(*command.split(), variables=variables)
    assert parts_in(NASTY, told) | parts_in(quote(NASTY, safe=""), told) == set()


@pytest.mark.parametrize("written", [NASTY, quote(NASTY, safe="")], ids=["raw", "encoded"])
@pytest.mark.parametrize("server", ["DATABASE", "BROKER"])
def test_S16_a_service_that_waits_logs_no_part_of_a_password(server: str, written: str, tmp_path: Path) -> None:
    """With the one that cannot be read it ends; with the other it waits for the server, which is away."""
    urls = {"DATABASE": "sqlite:///data/{service}.db", "BROKER": NOWHERE}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CLERK_DATABASE_URL", urls["DATABASE"])
        assert run(["migrate"]) == 0
    urls[server] = f"{'amqp' if server == 'BROKER' else 'postgresql'}://clerk:{written}@{HOST}/"
    variables = {f"CLERK_{name}_URL": url for name, url in urls.items()} | {"CLERK_BROKER_SHARED_USER": "clerk"}
    variables |= KEYS_ELSEWHERE
    with clerk("serve", "risk", "--port", "0", folder=tmp_path, **variables) as running:
        running.wait_for_error("cannot be told" if written == NASTY else "onnection refused")
        running.signal(signal.SIGTERM)
        assert running.ended() == (2 if written == NASTY else 0)
        assert parts_in(NASTY, running.errors) | parts_in(written, running.errors) == set()
