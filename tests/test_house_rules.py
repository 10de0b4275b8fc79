"""Rules of shape of the whole tree: who may import whom, what is pure, and what must not be there.

Where they come from: docs/design/architecture.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = {"shop_service", "risk_service", "payment_service", "fulfillment_service"}
PROOF = {"verifier", "simulation"}
OURS = (
    SERVICES | PROOF | {"domain", "messaging", "http_api", "shop_manager", "clerk_cli", "scenario_tests", "benchmarks"}
)
MAY_IMPORT = {
    "domain": {"domain"},
    "messaging": {"domain", "messaging"},
    "http_api": {"domain", "messaging", "http_api"},
    "shop_manager": {"domain", "messaging", "http_api", "shop_manager"},
    **{service: {"domain", "messaging", "http_api", service} for service in SERVICES},
    "verifier": SERVICES | {"domain", "messaging", "http_api", "shop_manager", "verifier"},
    "simulation": SERVICES | PROOF | {"domain", "messaging", "http_api", "shop_manager"},
    "clerk_cli": OURS - {"scenario_tests"},
    "benchmarks": OURS,
}


class Except(set[str]):
    """All names but these."""

    def __contains__(self, name: object) -> bool:
        return not super().__contains__(name)


FOLDERS: dict[str, dict[str, set[str]]] = {
    "shop_manager": {
        "processes": set(),
        "saga": {"processes"},
        "engine": {"saga", "processes"},
        "sessions": {"engine", "saga", "processes"},
        "operations": {"sessions", "engine", "saga", "processes"},
        "alerts": {"operations", "sessions", "engine", "processes"},
        "dashboard": {"alerts", "operations", "sessions", "engine", "saga", "processes"},
        "migrations": {"engine"},
        "alert_settings": {"alerts"},
        "settings": {"alert_settings", "saga", "sessions"},
        "demo": {"sessions"},
        "facts": {"engine", "saga"},
        "schemas": {"saga", "processes"},
        "gateway": set(),
        "waiting_calls": {"dashboard", "operations", "sessions"},
        "main": {"alerts", "dashboard", "operations", "sessions", "engine", "processes", "settings", "waiting_calls"},
    },
    "messaging": {
        "rabbitmq": {"broker", "failpoints", "senders", "server_urls"},
        "*": Except({"rabbitmq"}),
    },
    "clerk_cli": {
        "faults": {"brokers", "loopback"},
        "demo": {"data_folder", "errors", "stopping", "up"},
        "rabbitmq": {"errors", "services", "settings_read", "terminal", "weak_settings"},
        "up": Except({"demo"}),
        "commands": Except({"faults"}),
        "*": Except({"faults", "demo"}),
    },
    "simulation": {
        "mutants": {"broker", "cases", "provider", "stores"},
        "*": Except({"mutants"}),
    },
}
"""Package → folder or file in it → those in it that it may import; `*` is every other one."""
PURE = ["domain", "shop_manager/processes", "shop_manager/saga"]
"""Folders of which every module is pure; elsewhere a module is, if its docstring says so."""
IMPURE = {
    "alembic", "asyncio", "concurrent", "fastapi", "httpx", "importlib", "logging", "multiprocessing", "os", "pathlib",
    "pika", "pkgutil", "prometheus_client", "psycopg2", "pydantic_settings", "random", "secrets", "shutil", "signal",
    "socket", "sqlalchemy", "sqlite3", "ssl", "starlette", "structlog", "subprocess", "tempfile", "threading", "time",
    "uuid", "uvicorn",
}  # fmt: skip
"""Time, chance, threads, and everything outside the process."""
MAY_READ_ITS_FOLDER = {"shop_manager/processes/__init__.py": {"importlib", "pkgutil"}}
"""The processes are the modules of a folder: they are found once, when the program starts."""
GIVEN_VALUES = ("verifier.", "clerk_cli.faults.known_commands")
"""Pure themselves, but the classes of the values that they are given stand beside the code that reads these."""
RABBITMQ = "messaging.rabbitmq"
IMPURE_CALLS = {"open", "print", "input", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


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


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_among(package: str) -> dict[str, set[str]]:
    """Of each module of a package: which other modules of it are imported."""
    files = {dotted(path): path for path in production(package)}
    return {name: {each for each in named_in(path) if each in files} - {name} for name, path in files.items()}


def named_in(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports or imports from; some are modules, some are what is in them."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def folder_of(module: str) -> str:
    """The folder, or the file directly in its package, that a module belongs to: `shop_manager.saga.state` → `saga`."""
    return [*module.split("."), ""][1]


def arrows(package: str) -> dict[str, set[str]]:
    """By folder or file directly in a package: the others that it imports."""
    found: dict[str, set[str]] = {}
    for module, others in imports_among(package).items():
        found.setdefault(folder_of(module), set()).update(
            {folder_of(other) for other in others} - {folder_of(module), ""}
        )
    return found


@pytest.mark.parametrize("package", sorted(FOLDERS))
def test_imports_between_folders_go_one_way(package: str) -> None:
    allowed = FOLDERS[package]
    found = arrows(package)
    default = allowed.get("*", set())
    wrong = {
        f"{package}/{source} imports {target}"
        for source, targets in found.items()
        for target in targets
        if target not in allowed.get(source, default)
    }
    assert wrong == set()
    assert set(allowed) - {"*"} <= set(found), "the table names a folder that is not there"


@pytest.mark.parametrize("package", sorted(OURS))
def test_no_circle_of_imports(package: str) -> None:
    """Neither between the files of a package nor between its folders."""
    tuple(TopologicalSorter(imports_among(package)).static_order())
    if package in FOLDERS:
        tuple(TopologicalSorter(arrows(package)).static_order())


def test_only_the_rabbitmq_folder_knows_rabbitmq() -> None:
    """The code that ships: the port `messaging.broker` speaks no AMQP, and one module chooses the adapter.

    Beside it a folder of the command line administers RabbitMQ: `clerk migrate` and `clerk broker`.
    """
    files = production(*OURS - {"benchmarks", "scenario_tests"})
    assert [str(path.relative_to(ROOT)) for path in files if "pika" in imported(path)] == [
        "messaging/rabbitmq/transport.py"
    ]
    users = {str(path.relative_to(ROOT)) for path in files if any(name.startswith(RABBITMQ) for name in named_in(path))}
    mine = ("messaging/rabbitmq/", "clerk_cli/rabbitmq/")
    assert {user for user in users if not user.startswith(mine)} == {"clerk_cli/brokers.py"}


def says_it_is_pure(path: Path) -> bool:
    return re.search(r"\bpure\b", ast.get_docstring(ast.parse(path.read_text())) or "", re.IGNORECASE) is not None


def pure_modules() -> list[Path]:
    return [*production(*PURE), *(path for path in production(*OURS) if says_it_is_pure(path))]


def impure_imports(path: Path) -> set[str]:
    return imported(path) & IMPURE - MAY_READ_ITS_FOLDER.get(str(path.relative_to(ROOT)), set())


def reached_from(module: str, imports: dict[str, set[str]]) -> set[str]:
    """The module itself, and all of ours that it imports, directly or not."""
    found, left = set[str](), [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += imports[name]
    return found


def test_what_says_that_it_is_pure_imports_nothing_impure_through_others() -> None:
    files = {dotted(path): path for path in production(*OURS)}
    imports = {name: {each for each in named_in(path) if each in files} - {name} for name, path in files.items()}
    checked = [name for path in pure_modules() if not f"{(name := dotted(path))}.".startswith(GIVEN_VALUES)]
    guilty = {
        f"{name}, through {other}: {', '.join(sorted(found))}"
        for name in checked
        for other in reached_from(name, imports)
        if (found := impure_imports(files[other]))
    }
    assert guilty == set()


def test_what_says_that_it_is_pure_has_no_clock_no_chance_and_no_outside() -> None:
    checked = pure_modules()
    guilty = {str(path.relative_to(ROOT)): found for path in checked if (found := impure_imports(path))}
    assert guilty == {}
    calls = {
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node.func)}"
        for path in checked
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in IMPURE_CALLS
    }
    assert calls == set()


@pytest.mark.parametrize(
    "rules",
    [
        "risk_service/credit",
        "shop_service/order",
        "payment_service/payment",
        "fulfillment_service/stock",
        "fulfillment_service/shipment",
    ],
)
def test_the_rules_of_the_services_are_pure(rules: str) -> None:
    assert says_it_is_pure(ROOT / f"{rules}.py")


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


def test_no_file_is_too_large() -> None:
    large = {str(path): count for path in sources(*OURS) if (count := len(path.read_text().splitlines())) > 400}
    assert large == {}


def test_there_are_no_files_for_odds_and_ends() -> None:
    names = {"utils.py", "util.py", "common.py", "helpers.py", "base.py", "misc.py"}
    assert [path for path in sources(*OURS) if path.name in names] == []
