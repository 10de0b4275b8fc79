"""Opens the services' databases from one URL template, and turns their trouble into one clear line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from clerk_cli.errors import Trouble
from clerk_cli.services import SERVICES, Service
from clerk_cli.settings_read import read_settings
from messaging.database import BadDatabaseUrl, Database, check_url
from messaging.migrations import NotMigrated, require_migrated

PLACE = "{service}"


def template_for(service: Service, database: str | None, data: Path | None) -> str:
    """The URL template to use: the one given, else files in `data`, else the service's settings."""
    if database is not None:
        return database
    if data is not None:
        return files_in(data)
    return read_settings(service).database_url.get_secret_value()


def files_in(folder: Path) -> str:
    """The template of `clerk up`'s own SQLite files."""
    return f"sqlite:///{folder}/{PLACE}.db"


def open_one(service: Service, template: str, pool: int = 5) -> Database:
    """The service's database; nothing connects yet.

    A PostgreSQL URL without `{service}` may be shared: then the service's tables are in a schema of its own.
    """
    try:
        url = check_url(template.replace(PLACE, service.name))
    except BadDatabaseUrl as error:
        raise Trouble(str(error)) from None
    if url.startswith("sqlite"):
        _make_folder(url)
        return Database(url, pool=pool)
    return Database(url, pool=pool, schema=None if PLACE in template else service.name)


@contextmanager
def opened(templates: Mapping[Service, str], pool: int = 5) -> Iterator[dict[Service, Database]]:
    """The databases of these services, by service; closed at the end of the block."""
    check_apart(templates.values())
    with ExitStack() as stack:
        databases = {service: open_one(service, template, pool) for service, template in templates.items()}
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
            with trouble_of(service):
                require_migrated(each, service.package)
        yield {service.name: each for service, each in databases.items()}


def check_apart(templates: Iterable[str]) -> None:
    """Raises Trouble when several services would share one SQLite file."""
    seen: set[str] = set()
    for template in templates:
        if template.startswith("sqlite") and PLACE not in template:
            if template in seen:
                raise Trouble(
                    f"database URL {template!r} needs {PLACE} in it: each service has an SQLite file of its own"
                )
            seen.add(template)


@contextmanager
def trouble_of(service: Service) -> Iterator[None]:
    """What the service's database refuses inside the block is told as Trouble."""
    try:
        yield
    except NotMigrated as error:
        raise Trouble(str(error)) from None
    except SQLAlchemyError as error:
        words = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        raise Trouble(f"the database of {service.name}: {words}") from None


def _require_file(service: Service, template: str) -> None:
    """SQLite makes the file that is missing, and an empty shop looks clean."""
    try:
        url = make_url(check_url(template.replace(PLACE, service.name)))
    except BadDatabaseUrl as error:
        raise Trouble(str(error)) from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Trouble(f"there is no shop: {url.database!r} is missing; name its place with --data or --database")


def _make_folder(url: str) -> None:
    """SQLite makes its file, but not the folder that it is in."""
    file = make_url(url).database
    if not file or file == ":memory:":
        raise Trouble(f"database URL {url!r} names no file: each service needs one of its own")
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Trouble(f"folder {str(Path(file).parent)!r} cannot be used: {error.strerror}") from None
