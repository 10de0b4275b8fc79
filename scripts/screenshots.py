"""Makes the screenshots of the dashboard in docs/images/dashboard: `python scripts/screenshots.py`.

It starts a `clerk demo`, waits until orders are stuck in every way, and opens each page in this machine's Chromium;
pngquant shrinks the files to a third.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from playwright.sync_api import Browser, Page  # noqa: E402  needs the line above

from clerk_cli.tests.faults_shop import FaultyShop  # noqa: E402  as above
from clerk_cli.tests.processes import clerk  # noqa: E402  as above
from tests_browser.browser_sessions import NARROW, WIDE, log_in  # noqa: E402  as above
from tests_browser.chromium import chromium, installed  # noqa: E402  as above

FOLDER = ROOT / "docs" / "images" / "dashboard"
PAGES = {
    "home": "/dashboard",
    "clerks": "/dashboard/clerks",
    "clerks-stuck": "/dashboard/clerks?stuck=yes",
    "clerk": "/dashboard/clerks/{stuck}",
    **{
        name: f"/dashboard/{name}"
        for name in ("activity", "parked", "processes", "figures", "bulk", "audit", "checks", "people")
    },
}
"""Name of the picture → page. `{stuck}` in a path stands for the id of a stuck Clerk."""
ALSO_SHOWN = {"-dark": ("home", "clerks-stuck", "clerk"), "-narrow": ("home", "clerks-stuck", "clerk")}
"""Pages that are also shown in dark mode, and at the width of a telephone."""
HEIGHT = 900
ALL_STUCK = "All of them go on by themselves"


def main() -> None:
    program = installed()
    if program is None or shutil.which("pngquant") is None:
        sys.exit("chromium and pngquant are needed: install these packages")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _demo(Path(folder)) as shop, chromium(program) as browser:
        stuck = _act_as_operator(shop)
        page = _logged_in_page(browser, shop)
        for name, path in PAGES.items():
            page.goto(path.format(stuck=stuck))
            for suffix in ("", *(suffix for suffix, names in ALSO_SHOWN.items() if name in names)):
                _take(page, name, suffix)
    pictures = [str(each) for each in sorted(FOLDER.glob("*.png"))]
    subprocess.run(["pngquant", "--force", "--ext=.png", "--speed=1", "64", *pictures], check=True)  # noqa: S603, S607  our own command, no shell


@contextmanager
def _demo(folder: Path) -> Iterator[FaultyShop]:
    """A demo in which orders are stuck in every way."""
    with clerk("demo", "--port", "0", "--data", "data", "--pace", "120", folder=folder) as running:
        if not running.url:
            sys.exit("the demo has no URL")
        running.line(ALL_STUCK)
        yield FaultyShop(running, folder / "data")


def _act_as_operator(shop: FaultyShop) -> str:
    """Fill the pages audit, bulk and checks with some acts and a check; returns the id of a stuck order."""
    asked = shop.call("GET", "/ops/clerks?stuck=true&kind=no_answer", headers=shop.operator)
    stuck = str(asked.json()["data"][0]["id"])
    seen = shop.call("GET", f"/ops/clerks/{stuck}", headers=shop.operator)
    act = {"action": "note", "reason": "Payment is called; they look into it."}
    bulk = {"action": "retry", "reason": "payment is up again", "filter": {"stuck": True, "kind": "no_answer"}}
    done = [
        shop.call("POST", f"/ops/clerks/{stuck}/actions", act, {**shop.operator, "If-Match": seen.headers["etag"]}),
        shop.call("POST", "/ops/bulk", bulk, shop.operator),
    ]
    if any(each.status_code not in (200, 201) for each in done):
        sys.exit(f"an act was refused: {[each.text for each in done]}")
    with clerk("verify", "--data", "data", folder=shop.data.parent) as verify:
        verify.ended()
    return stuck


def _logged_in_page(browser: Browser, shop: FaultyShop) -> Page:
    """A browser page on which the admin is logged in; takes the login page's screenshot on the way."""
    page = browser.new_context(base_url=shop.url, reduced_motion="reduce").new_page()
    page.goto("/dashboard/login")
    for suffix in ("", "-narrow"):
        _take(page, "login", suffix)
    operator = json.loads((shop.data / "credentials.json").read_text())["operator"]
    log_in(page, operator["name"], operator["password"])
    return page


def _take(page: Page, name: str, suffix: str) -> None:
    page.emulate_media(color_scheme="dark" if suffix == "-dark" else "light")
    page.set_viewport_size({"width": NARROW if suffix == "-narrow" else WIDE, "height": HEIGHT})
    page.screenshot(path=FOLDER / f"{name}{suffix}.png", animations="disabled")


if __name__ == "__main__":
    main()
