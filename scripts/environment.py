"""Makes the virtual environment: `environment.py run` to use the product, `environment.py dev` to work on it.

Needs nothing but Python 3.11. Installs exactly what the lock names, each file checked against its hash; the project
itself is linked, not built: a path file and the `clerk` script. make calls it only when a lock is newer than its stamp.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
CLERK = """\
#!{python}
from clerk_cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
"""


def main(kind: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  whatever Python the machine has calls this
        sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}")
    if not _works():
        _create()
    sys.stderr.write(f"installing into .venv what {LOCKS[kind]} names (once; takes a minute)\n")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
    if _run([*pip, "-r", str(ROOT / LOCKS[kind])]):
        sys.exit(f"pip could not install {LOCKS[kind]}: see above")
    _link_project()
    for done in ("run", "dev")[: list(LOCKS).index(kind) + 1]:  # the dev lock has all of the run lock
        (VENV / f"{done}.stamp").touch()


def _works() -> bool:
    """Is there an environment whose interpreter and pip run? An upgrade of the system's Python may have broken it."""
    return PYTHON.exists() and _run([str(PYTHON), "-c", "import pip"]) == 0


def _create() -> None:
    if _run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        sys.exit(f"{sys.executable} -m venv does not work; on Debian and Ubuntu: apt install python3-venv")


def _link_project() -> None:
    """Link the project as an editable install would, without a build."""
    site = next((VENV / "lib").glob("python3.*/site-packages"))
    (site / "shop_clerk.pth").write_text(f"{ROOT}\n")
    script = VENV / "bin" / "clerk"
    script.write_text(CLERK.format(python=PYTHON))
    script.chmod(0o755)


def _run(command: list[str]) -> int:
    """Its exit code."""
    return subprocess.run(command, check=False).returncode  # noqa: S603  our own command, no shell


if __name__ == "__main__":
    main(sys.argv[1])
