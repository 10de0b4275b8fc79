"""Installs packages of the distribution (Debian, Ubuntu) without letting them start anything on the system."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_STARTS = "#!/bin/sh\nexit 101\n"  # the packages' scripts ask it: 101 means no


def can_install() -> bool:
    """Root, on a system with apt?"""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> None:
    """apt-get install, with an update first only if it does not work without.

    Says nothing about success: a package whose server could not be started counts as failed for apt, and serves us
    well. So callers look for the programs.
    """
    with _starting_nothing():
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
    """While we install, no system server is started; a policy that is there already stays."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(_NO_STARTS)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
