"""Opens the services' databases from one URL template, and turns their errors into one clear line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from clerk_cli.errors import CliError, value_errors_reported
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings, url_of_flag
from clerk_cli.weak_settings import require_strong_database, require_strong_env_file
from messaging.database import Database, check_url
from messaging.database_errors import all_said_by
from messaging.migrated import NotMigrated, require_migrated
from messaging.server_urls import mask_url
from messaging.sqlite_engine import SqliteSync

PLACE = "{service}"


def template_for(service: Service, database: str | None, data: Path | None) -> str:
    """The URL template to use: the one given, else files in `data`, else the service's settings.

    CliError when it is one that production must not have (docs/decisions/055-weak-settings-are-refused.md).
    """
    if database is not None:
        template, setting = url_of_flag(service, "database", database), "--database"
        if template != database:
            require_strong_env_file()
    elif data is not None:
        template, setting = files_in(data), "--data"
    else:
        require_strong_env_file()
        template, setting = read_settings(service).database_url.get_secret_value(), "CLERK_DATABASE_URL"
    require_strong_database(template, setting)
    return template


def files_in(folder: Path) -> str:
    """The template of `clerk up`'s own SQLite files."""
    return f"sqlite:///{folder}/{PLACE}.db"


def open_one(service: Service, template: str, pool: int = 5, sync: SqliteSync = "full") -> Database:
    """The service's database; nothing connects yet. `sync`: what its commits wait for, where it is a file.

    A PostgreSQL URL without `{service}` may be shared: then the service's tables are in a schema of its own.
    """
    url = _url_of(service, template)
    if url.startswith("sqlite"):
        _make_folder(url)
        return Database(url, pool=pool, sync=sync)
    return Database(url, pool=pool, schema=None if PLACE in template else service.name)


@contextmanager
def opened(
    templates: Mapping[Service, str], pool: int = 5, sync: SqliteSync = "full"
) -> Iterator[dict[Service, Database]]:
    """The databases of these services, by service; closed at the end of the block. `sync` as in `open_one`."""
    check_apart(templates.values())
    with ExitStack() as stack:
        databases = {service: open_one(service, template, pool, sync) for service, template in templates.items()}
        for database in databases.values():
            stack.callback(database.close)
        yield databases


@contextmanager
def opened_shop(
    database: str | None, data: Path | None, services: Iterable[Service] = SERVICES
) -> Iterator[dict[str, Database]]:
    """The databases of an existing shop, by the service's name. They must be migrated: nothing is made here."""
    templates = {service: template_for(service, database, data) for service in services}
    for service, template in templates.items():
        _require_file(service, template)
    with opened(templates) as databases:
        for service, each in databases.items():
            with database_errors_reported(service):
                require_migrated(each, service.package)
        yield {service.name: each for service, each in databases.items()}


def check_apart(templates: Iterable[str]) -> None:
    """Raises CliError when several services would share one SQLite file."""
    seen: set[str] = set()
    for template in templates:
        if template.startswith("sqlite") and PLACE not in template:
            if template in seen:
                raise CliError(
                    f"database URL {mask_url(template)!r} needs {PLACE} in it: "
                    "each service has an SQLite file of its own"
                )
            seen.add(template)


@contextmanager
def database_errors_reported(service: Service) -> Iterator[None]:
    """Errors of the service's database inside the block become a CliError that names the service."""
    try:
        yield
    except NotMigrated as error:
        raise CliError(str(error)) from None
    except SQLAlchemyError as error:
        raise CliError(f"the database of {service.name}: {all_said_by(error)}") from None


def _url_of(service: Service, template: str) -> str:
    with value_errors_reported():
        return check_url(template.replace(PLACE, service.name))


def _require_file(service: Service, template: str) -> None:
    """Raises CliError when the SQLite file is missing: SQLite would make it, and an empty shop looks clean."""
    url = make_url(_url_of(service, template))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise CliError(f"there is no shop: {url.database!r} is missing; name its place with --data or --database")


def _make_folder(url: str) -> None:
    """SQLite makes its file, but not the folder that it is in."""
    file = make_url(url).database
    if not file or file == ":memory:":
        raise CliError(f"database URL {mask_url(url)!r} names no file: each service needs one of its own")
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CliError(f"folder {str(Path(file).parent)!r} cannot be used: {error.strerror}") from None
