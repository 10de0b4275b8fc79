"""Certificates for test servers, made with the `openssl` command: good ones, expired ones, ones of another name."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scenario_tests.servers.processes import change_owner

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
LOCAL = "DNS:localhost,IP:127.0.0.1"
"""How our servers are reached."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a server's certificate and its key, in PEM format."""

    file: Path
    key: Path


class Authority:
    """A certificate authority in a folder of its own: `file` is what its clients trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # the servers' own users must get through
        self._folder = folder
        self.file, self._key = folder / "ca.pem", folder / "ca.key"
        name = ("-subj", f"/CN=Test authority {folder.name}", "-days", "2")
        _openssl("req", "-x509", *_KEY, *name, "-keyout", str(self._key), "-out", str(self.file))

    def certificate(self, name: str, *, names: str = LOCAL, days: int = 2, user: str | None = None) -> Certificate:
        """A new one for these names, for so many days from now on; with less than none it has expired.

        `name` is that of its files, which belong to `user` (an account of this machine; None: ours).
        """
        file, key, request = (self._folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        _openssl("req", *_KEY, *subject, "-keyout", str(key), "-out", str(request))
        signer = ("-CA", str(self.file), "-CAkey", str(self._key), "-CAcreateserial", "-copy_extensions", "copy")
        _openssl("x509", "-req", "-in", str(request), *signer, "-days", str(days), "-out", str(file))
        key.chmod(0o600)
        change_owner(key, user)
        file.chmod(0o644)
        return Certificate(file, key)


def installed() -> bool:
    """Is there an `openssl` command?"""
    return shutil.which("openssl") is not None


def _openssl(*arguments: str) -> None:
    done = subprocess.run(
        ["openssl", *arguments], capture_output=True, text=True, timeout=30, check=False
    )  # wherever it is
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")
