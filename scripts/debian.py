"""Installs packages of the distribution (Debian, Ubuntu) without letting them start anything on the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_STARTS = "#!/bin/sh\nexit 101\n"  # asked by the packages' scripts: 101 means do not start
_one_at_a_time = threading.Lock()


def can_install() -> bool:
    """Are we root on a system with apt?"""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """apt-get install, which is said; if it fails, again after apt-get update.

    It does not report success: for apt a package whose server was not started has failed, but its programs are there.
    So callers look for the programs.
    """
    with _one_at_a_time, _starting_nothing():
        sys.stdout.write(f"installing {' and '.join(packages)}\n")
        sys.stdout.flush()
        if _apt("install", *packages):
            _apt("update")
            _apt("install", *packages)


def _apt(verb: str, *packages: str) -> int:
    options = ["-qq", "-o", "DPkg::Lock::Timeout=300"]
    if verb == "install":
        options += ["--yes", "--no-install-recommends"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    command = ["apt-get", *options, verb, *packages]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603  our own command, no shell
    return done.returncode


@contextmanager
def _starting_nothing() -> Iterator[None]:
    """Inside the block packages start no servers; an existing policy file stays as it is."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_NO_STARTS)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
