"""Makes the pictures of the dashboard in docs/images/dashboard: `python scripts/screenshots.py`.

It starts a shop of its own with faults, in which orders end well and badly and some are stuck, and looks at each page
with the Chromium of this machine; pngquant makes the files a third of their size.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, the project's is not

from playwright.sync_api import Browser, Page  # noqa: E402  needs the line above

from clerk_cli.tests.faults_shop import FaultyShop, faulty_shop  # noqa: E402  as above
from clerk_cli.tests.processes import clerk  # noqa: E402  as above
from tests_browser.chromium import chromium, installed  # noqa: E402  as above
from tests_browser.seats import NARROW, WIDE, log_in  # noqa: E402  as above

FOLDER = ROOT / "docs" / "images" / "dashboard"
PAGES = {
    "home": "/dashboard",
    "clerks": "/dashboard/clerks",
    "clerks-stuck": "/dashboard/clerks?stuck=yes",
    "clerk": "/dashboard/clerks/{stuck}",
    **{name: f"/dashboard/{name}" for name in ("parked", "processes", "figures", "bulk", "audit", "checks", "people")},
}
"""Name of the picture → page. `{stuck}` in a path stands for the id of a stuck Clerk."""
ALSO_SHOWN = {"-dark": ("home", "clerks-stuck", "clerk"), "-narrow": ("home", "clerks-stuck", "clerk")}
"""Pages that are also shown on dark ground, and as on a telephone."""
HEIGHT = 900
QUICK = {"CLERK_STEP_LIMIT_FACTOR": "0.05"}


def main() -> None:
    program = installed()
    if program is None or shutil.which("pngquant") is None:
        sys.exit("chromium and pngquant are needed: install these packages")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, faulty_shop(Path(folder), **QUICK) as shop:
        stuck = _fill(shop)
        with chromium(program) as browser:
            page = _seat(browser, shop)
            for name, path in PAGES.items():
                page.goto(path.format(stuck=stuck))
                for suffix in ("", *(suffix for suffix, names in ALSO_SHOWN.items() if name in names)):
                    _take(page, name, suffix)
    pictures = [str(each) for each in sorted(FOLDER.glob("*.png"))]
    subprocess.run(["pngquant", "--force", "--ext=.png", "--speed=1", "64", *pictures], check=True)  # noqa: S603, S607  our own command, no shell


def _fill(shop: FaultyShop) -> str:
    """Orders of every fate; returns one that is stuck."""
    for token in ("tok_ok", "tok_ok", "tok_declined", "tok_ok", "tok_capture_refused"):
        shop.becomes(shop.order(token), "failed" if token in ("tok_declined", "tok_capture_refused") else "completed")
    shop.order(None)
    shop.call("POST", "/shop/session", {"client_reference": "phone order 7"})
    shop.put("payment", "pause", step="capture")
    silent = [shop.order() for _ in range(4)]
    shop.put("risk", "unsupported", step="credit")
    unsupported = shop.order()
    for order in silent:
        shop.is_stuck(order, "no_answer")
    shop.is_stuck(unsupported, "unsupported")
    shop.send_raw("fulfillment", b'[{"kind": "command", "id": "who knows"}]')
    _work_on(shop, silent[0])
    return silent[0]


def _work_on(shop: FaultyShop, stuck: str) -> None:
    """What leaves its traces in audit and checks."""
    seen = shop.call("GET", f"/ops/clerks/{stuck}", headers=shop.operator)
    act = {"action": "note", "reason": "Payment is called; they look into it."}
    done = shop.call("POST", f"/ops/clerks/{stuck}/actions", act, {**shop.operator, "If-Match": seen.headers["etag"]})
    if done.status_code != 200:
        sys.exit(f"the note was refused: {done.text}")
    with clerk("verify", "--data", "data", folder=shop.data.parent) as verify:
        verify.ended()


def _seat(browser: Browser, shop: FaultyShop) -> Page:
    """An admin's page; the login page is taken on the way."""
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
