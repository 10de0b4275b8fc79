"""Each service's migrations make exactly the tables that its store says, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, delete, inspect, make_url, select, update
from sqlalchemy.exc import DBAPIError

from clerk_cli.services import SERVICES, Service
from http_api.keys import KeyRing, key_tables, new_key
from messaging.database import Database, Tx
from messaging.migrated import NotMigrated, current, folder_of, head, require_migrated
from messaging.migrations import migrate
from messaging.new_revision import write_revision
from risk_service.credit import Account
from risk_service.store import accounts, read_standings
from shop_manager.engine.tables import operations_schema
from tests.postgres import admin_url, administer

audit = operations_schema.audit
every_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/service.db")
    yield database
    database.close()


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    admin = admin_url()
    name = f"migrations_{secrets.token_hex(4)}"
    administer(admin, f"CREATE DATABASE {name}")
    yield make_url(admin).set(database=name).render_as_string(hide_password=False)
    administer(admin, f"DROP DATABASE {name} WITH (FORCE)")


def differences(database: Database, service: Service) -> list[object]:
    with database.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        return list(compare_metadata(context, service.metadata))


def tables(database: Database, schema: str | None = None) -> set[str]:
    return set(inspect(database.engine).get_table_names(schema))


@every_service
def test_the_migrated_tables_are_those_of_the_store(database: Database, service: Service) -> None:
    assert migrate(database, service.package) == (None, head(service.package))
    assert differences(database, service) == []


@every_service
def test_the_newest_revision_is_the_one_that_alembic_finds_by_following_them(service: Service) -> None:
    assert ScriptDirectory(folder_of(service.package)).get_heads() == [head(service.package)]


@every_service
def test_the_migrated_statements_are_those_that_the_store_would_make(
    database: Database, service: Service, tmp_path: Path
) -> None:
    made = Database(f"sqlite:///{tmp_path}/made.db")
    service.metadata.create_all(made.engine)
    migrate(database, service.package)
    assert _statements(database) == _statements(made), "partial indexes and the like are in no comparison of alembic's"
    made.close()


def _statements(database: Database) -> dict[str, str]:
    with database.read() as tx:
        rows = tx.connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
        )
        return {row.name: " ".join(row.sql.split()) for row in rows}


@every_service
@pytest.mark.database
def test_the_migrated_tables_are_those_of_the_store_on_postgresql(postgres: str, service: Service) -> None:
    database = Database(postgres)
    migrate(database, service.package)
    assert differences(database, service) == []
    database.close()


@every_service
def test_migrating_again_changes_nothing(database: Database, service: Service) -> None:
    migrate(database, service.package)
    assert migrate(database, service.package) == (head(service.package), head(service.package))


@every_service
def test_an_empty_database_is_not_taken_for_a_migrated_one(database: Database, service: Service) -> None:
    with pytest.raises(NotMigrated, match="run `clerk migrate` first"):
        require_migrated(database, service.package)


def test_another_services_tables_are_not_taken_for_ones_own(database: Database) -> None:
    migrate(database, "shop_service")
    with pytest.raises(NotMigrated, match=f"{head('shop_service')}, which this version does not know"):
        migrate(database, "risk_service")


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    with database.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE turns (stray INTEGER)")
    with pytest.raises(Exception, match="turns"):
        migrate(database, "risk_service")
    assert tables(database) == {"turns"}


@every_service
@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def test_keys_from_before_they_expired_open_afterwards_and_older_processes_can_write_beside(
    dialect: str, service: Service, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/keys.db" if dialect == "sqlite" else request.getfixturevalue("postgres")
    database = Database(url)
    before, after, ring = new_key("operator"), new_key("server"), KeyRing(database)
    migrate(database, service.package)
    ring.put(before, "ada", "admin")
    before_expiry = "shop_manager_0005" if service.name == "shop_manager" else f"{service.name}_0001"
    _at_revision(database, service, before_expiry, command.downgrade)
    assert "expires_at" not in _columns(database)
    _at_revision(database, service, "head", command.upgrade)
    with database.begin() as tx:
        row = {"id": after.split("_")[1], "scope": "server", "role": None, "name": "x", "created_at": 1}
        tx.insert(ring.tables.keys, [{**row, "hash": _hash_of(before, tx)}])
    holder = ring.check(before)
    assert holder is not None
    assert (holder.name, holder.role, holder.expires_at) == ("ada", "admin", None)
    with database.read() as tx:
        assert [line["expires_at"] for line in ring.listed(tx, 9)] == [None, None]
    database.close()


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def test_credit_that_was_set_is_in_the_shops_currency_afterwards_and_older_processes_can_write_beside(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/risk.db" if dialect == "sqlite" else request.getfixturevalue("postgres")
    database = Database(url)
    [service] = [each for each in SERVICES if each.name == "risk"]
    migrate(database, service.package)
    _at_revision(database, service, "risk_0003", command.downgrade)
    account = {"credit_limit": 5_000, "outstanding": 7, "score": 510}
    with database.begin() as tx:
        tx.connection.exec_driver_sql("INSERT INTO accounts VALUES ('ada', 5000, 7, 510)")
        tx.connection.exec_driver_sql("INSERT INTO reservations VALUES ('clk_1', 'ada', 900)")
    monkeypatch.setenv("CLERK_RISK_CURRENCY", "USD")
    _at_revision(database, service, "head", command.upgrade)
    with database.begin() as tx:
        tx.insert(accounts, [{"customer": "bob", **account}])
        kept = read_standings(tx, ["ada", "bob"], "USD")
    assert kept.accounts["ada", "USD"] == Account("ada", "USD", 5_000, 7)
    assert kept.accounts["bob", "USD"].limit == 5_000, "what a process of the version before has written"
    assert (kept.reserved, kept.scores["ada"]) == ({("ada", "USD"): 900}, 510)
    database.close()


def _at_revision(database: Database, service: Service, revision: str, move: Callable[[Config, str], None]) -> None:
    config = Config()
    config.set_main_option("script_location", folder_of(service.package))
    with database.begin() as tx:
        config.attributes["connection"] = tx.connection
        move(config, revision)


def _columns(database: Database) -> set[str]:
    return {column["name"] for column in inspect(database.engine).get_columns("access_keys")}


def _hash_of(key: str, tx: Tx) -> str:
    keys = key_tables(MetaData()).keys
    return str(tx.execute(select(keys.c.hash).where(keys.c.id == key.split("_")[1])).scalar_one())


def test_there_is_nothing_to_write_while_the_store_is_as_the_migrations_make_it() -> None:
    for service in SERVICES:
        with pytest.raises(ValueError, match="nothing to write"):
            write_revision(service.package, "nothing")


@pytest.mark.database
def test_in_one_postgresql_database_each_service_has_a_schema_of_its_own(postgres: str) -> None:
    databases = {service: Database(postgres, schema=service.name) for service in SERVICES}
    for service, database in databases.items():
        migrate(database, service.package)
        require_migrated(database, service.package)
        assert "outbox" in tables(database, service.name)
        assert differences(database, service) == []
    assert tables(databases[SERVICES[0]], "public") == set()
    for database in databases.values():
        database.close()


@pytest.mark.database
def test_a_database_of_the_services_own_is_found_whatever_its_url_looks_like(postgres: str) -> None:
    owner, worker = Database(postgres), Database(postgres, schema="risk")
    migrate(owner, "risk_service")
    require_migrated(worker, "risk_service")
    assert migrate(worker, "risk_service") == (head("risk_service"), head("risk_service"))
    assert current(worker) == head("risk_service")
    assert "risk" not in inspect(owner.engine).get_schema_names()
    owner.close()
    worker.close()


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def test_S9_no_statement_changes_or_takes_away_a_line_of_the_audit(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/audit.db" if dialect == "sqlite" else request.getfixturevalue("postgres")
    database = Database(url)
    migrate(database, "shop_manager")
    line = {"at": 1, "who": "nora", "role": "admin", "action": "note", "target": "clk_1"}
    line |= {"reason": "a call", "outcome": "done", "detail": ""}
    with database.begin() as tx:
        tx.insert(audit, [line])
    for change in (update(audit).values(who="nobody"), delete(audit)):
        with pytest.raises(DBAPIError, match="the audit can only grow"), database.begin() as tx:
            tx.execute(change)
    with database.read() as tx:
        assert [row.who for row in tx.execute(select(audit))] == ["nora"]
    database.close()
