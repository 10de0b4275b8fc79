"""What holds of the whole tree: who may import whom, and what must not be in it (architecture.md, Rules of shape)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = {"shop_service", "risk_service", "payment_service", "fulfillment_service"}
PROOF = {"verifier", "simulation"}
OURS = SERVICES | PROOF | {"domain", "messaging", "doors", "shop_manager", "clerk_cli", "scenario_tests", "benchmarks"}
MAY_IMPORT = {
    "domain": {"domain"},
    "messaging": {"domain", "messaging"},
    "doors": {"domain", "messaging", "doors"},
    "shop_manager": {"domain", "messaging", "doors", "shop_manager"},
    **{service: {"domain", "messaging", "doors", service} for service in SERVICES},
    "verifier": SERVICES | {"domain", "messaging", "doors", "shop_manager", "verifier"},
    "simulation": SERVICES | PROOF | {"domain", "messaging", "doors", "shop_manager"},
    "clerk_cli": OURS - {"scenario_tests"},
    "benchmarks": OURS - {"scenario_tests"},
}
PURE = ["domain", "shop_manager/deciding", "shop_manager/processes", "shop_manager/decide.py", "shop_manager/saga.py",
        "shop_manager/happenings.py", "risk_service/credit.py", "shop_service/order.py", "payment_service/payment.py",
        "fulfillment_service/stock.py", "fulfillment_service/shipment.py"]  # fmt: skip
IMPURE = {"time", "random", "os", "secrets", "sqlalchemy", "pika", "httpx", "structlog", "uuid", "threading", "socket"}


def sources(*places: str) -> Iterator[Path]:
    for place in places:
        path = ROOT / place
        yield from [path] if path.is_file() else path.rglob("*.py")


def production(*places: str) -> list[Path]:
    return [path for path in sources(*places) if "tests" not in path.relative_to(ROOT).parts]


def imported(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_imports_go_one_way(package: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): sorted(imported(path) & OURS - MAY_IMPORT[package])
        for path in production(package)
        if imported(path) & OURS - MAY_IMPORT[package]
    }
    assert not wrong


def test_only_one_file_imports_pika() -> None:
    users = [path for path in production(*OURS - {"benchmarks", "scenario_tests"}) if "pika" in imported(path)]
    assert [str(path.relative_to(ROOT)) for path in users] == ["messaging/rabbitmq.py"]


@pytest.mark.parametrize("place", PURE)
def test_rules_have_no_clock_no_chance_and_no_outside(place: str) -> None:
    assert {str(path): imported(path) & IMPURE for path in production(place) if imported(path) & IMPURE} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path for path in sources(*OURS) if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    silent = [path for path in silent if path.name != "__init__.py" or "tests" not in path.parts]
    assert silent == []


def test_assert_is_for_tests() -> None:
    guilty = [
        path
        for path in production(*OURS - {"scenario_tests"})
        if any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(path.read_text())))
    ]
    assert guilty == []


def test_no_test_sleeps() -> None:
    guilty = [
        path
        for path in sources(*OURS, "tests")
        if ("tests" in path.parts or "scenario_tests" in path.parts)
        and any(_is_sleep(node) for node in ast.walk(ast.parse(path.read_text())))
    ]
    assert guilty == []


def _is_sleep(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep", "asyncio.sleep")


def test_no_room_is_too_large() -> None:
    large = {str(path): count for path in sources(*OURS) if (count := len(path.read_text().splitlines())) > 400}
    assert large == {}


def test_there_are_no_rooms_for_odds_and_ends() -> None:
    names = {"utils.py", "util.py", "common.py", "helpers.py", "base.py", "misc.py"}
    assert [path for path in sources(*OURS) if path.name in names] == []
