"""The data folder: one `clerk up` at a time, and credentials that only their owner can read."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from clerk_cli.credentials import new_credentials
from clerk_cli.data_folder import (
    ADDRESS,
    CREDENTIALS,
    keep_address,
    keep_credentials,
    locked,
    read_address,
    read_credentials,
)
from clerk_cli.errors import CliError


def test_the_credentials_are_as_the_contract_says_and_their_owners_only(tmp_path: Path) -> None:
    keep_credentials(tmp_path, new_credentials())
    path = tmp_path / CREDENTIALS
    kept = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(kept) == {"server_key", "warehouse_key", "operator"}
    assert kept["server_key"].startswith("sk_")
    assert kept["warehouse_key"].startswith("wk_")
    assert kept["operator"]["name"] == "admin"
    assert {"name", "password"} <= set(kept["operator"])


def test_kept_credentials_are_read_again(tmp_path: Path) -> None:
    credentials = new_credentials()
    keep_credentials(tmp_path, credentials)
    assert read_credentials(tmp_path) == credentials


def test_a_readable_file_in_the_way_is_not_written_into(tmp_path: Path) -> None:
    path = tmp_path / CREDENTIALS
    path.write_text("{}")
    path.chmod(0o644)
    keep_credentials(tmp_path, new_credentials())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_credentials_are_none(tmp_path: Path) -> None:
    assert read_credentials(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"operator": 1}', "\x00", '{"server_key": "x"'])
def test_a_broken_credentials_file_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / CREDENTIALS).write_text(content)
    with pytest.raises(CliError, match="is not the credentials file"):
        read_credentials(tmp_path)


def test_a_folder_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(CliError, match="in use by another `clerk up`"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_new_folder_is_its_owners_only(tmp_path: Path) -> None:
    with locked(tmp_path / "new"):
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_one_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CliError, match="cannot be used"), locked(tmp_path / "file" / "data"):
        pass


def test_the_address_is_found_again_and_a_broken_one_is_none(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    keep_address(tmp_path, "http://127.0.0.1:1234")
    assert read_address(tmp_path) == "http://127.0.0.1:1234"
    (tmp_path / ADDRESS).write_text("broken")
    assert read_address(tmp_path) is None
