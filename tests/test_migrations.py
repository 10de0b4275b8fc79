"""Each service's migrations make exactly the tables that its store says, on SQLite and on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, make_url

from clerk_cli.services import SERVICES, Service
from messaging.database import Database
from messaging.migrations import NotMigrated, current, head, migrate, require_migrated
from messaging.new_revision import write_revision
from tests.postgres import admin_url, administer

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
        return list(compare_metadata(context, service.module("store").metadata))


def tables(database: Database, schema: str | None = None) -> set[str]:
    return set(inspect(database.engine).get_table_names(schema))


@every_service
def test_the_migrated_tables_are_those_of_the_store(database: Database, service: Service) -> None:
    assert migrate(database, service.package) == (None, head(service.package))
    assert differences(database, service) == []


@every_service
def test_the_migrated_statements_are_those_that_the_store_would_make(
    database: Database, service: Service, tmp_path: Path
) -> None:
    made = Database(f"sqlite:///{tmp_path}/made.db")
    service.module("store").metadata.create_all(made.engine)
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
    with pytest.raises(NotMigrated, match="shop_0001, which this version does not know"):
        migrate(database, "risk_service")


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    with database.begin() as tx:
        tx.connection.exec_driver_sql("CREATE TABLE turns (stray INTEGER)")
    with pytest.raises(Exception, match="turns"):
        migrate(database, "risk_service")
    assert tables(database) == {"turns"}


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
