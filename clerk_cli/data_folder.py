"""The data folder of `clerk up`: its lock, the credentials in it, and the URL at which its shop listens."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clerk_cli.errors import CliError

LOCK, CREDENTIALS, ADDRESS = "up.lock", "credentials.json", "up.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is in credentials.json. `operator_key` is for scripts, the password for the dashboard."""

    server_key: str
    warehouse_key: str
    operator_name: str
    operator_password: str
    operator_key: str

    def as_json(self) -> dict[str, Any]:
        operator = {"name": self.operator_name, "password": self.operator_password, "key": self.operator_key}
        return {"server_key": self.server_key, "warehouse_key": self.warehouse_key, "operator": operator}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder, made if need be, for one `clerk up`, until the block or this process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CliError(f"data folder {str(folder)!r} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise CliError(f"data folder {str(folder)!r} is in use by another `clerk up`") from None
    try:
        yield
    finally:
        os.close(descriptor)


def read_credentials(folder: Path) -> Credentials | None:
    """The credentials kept in the folder; None when there are none. CliError when the file cannot be read."""
    path = folder / CREDENTIALS
    try:
        kept = json.loads(path.read_bytes())
        operator = kept["operator"]
        return Credentials(
            kept["server_key"], kept["warehouse_key"], operator["name"], operator["password"], operator["key"]
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CliError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise CliError(f"{str(path)!r} is not the credentials file that `clerk up` writes") from None


def keep_credentials(folder: Path, credentials: Credentials) -> None:
    """Write credentials.json, readable by its owner only, whole or not at all."""
    _write(folder / CREDENTIALS, credentials.as_json())


def keep_address(folder: Path, url: str) -> None:
    """Where the shop of this folder listens, for the other commands."""
    _write(folder / ADDRESS, {"url": url})


def read_address(folder: Path) -> str | None:
    """Where the shop of this folder listened last; None when it never did."""
    try:
        url = json.loads((folder / ADDRESS).read_bytes())["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise CliError(f"{str(path)!r} cannot be written: {error.strerror}") from None
