"""TLS to RabbitMQ and PostgreSQL: whoever cannot prove to be the server gets nothing of ours (security S15)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from clerk_cli.main import run
from clerk_cli.tests.processes import clerk
from messaging.rabbitmq.transport import RabbitTransport
from messaging.rabbitmq.url import user_in
from messaging.tests.brokers import connected, eventually
from scenario_tests.servers import Servers, attached_servers
from scenario_tests.servers.certificates import LOCAL, Authority, Certificate, installed
from scenario_tests.servers.postgres import PostgresCluster, session
from scenario_tests.servers.processes import user_for
from scenario_tests.servers.rabbit import RabbitNode

DISTRUST = "the broker's certificate is not to be trusted: "
CASES = {
    "a right one": ("good", "ours", "", ""),
    "the wrong authority": (
        "good",
        "another",
        DISTRUST + "self-signed certificate in certificate chain",
        "SSL error: certificate verify failed",
    ),
    "the wrong name": (
        "of another name",
        "ours",
        DISTRUST + "Hostname mismatch, certificate is not valid for 'localhost'.",
        'server certificate for "db.example" (and 1 other name) does not match host name "localhost"',
    ),
    "an expired one": (
        "expired",
        "ours",
        DISTRUST + "certificate has expired",
        "SSL error: certificate verify failed",  # PostgreSQL's client says no more
    ),
}
"""What the server shows, whom we trust, and what is then said of the broker and of the database; nothing: it works."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """Files of the two whom a client may trust, and certificates of the first."""

    ours: Path
    another: Path
    broker: dict[str, Certificate]
    database: dict[str, Certificate]


@pytest.fixture(scope="module")
def servers() -> Servers:
    """The private ones of this run. Without them the tests are skipped on a laptop, and fail where CI=true."""
    found = attached_servers()
    if found is not None and found.broker.available and found.postgres.available and installed():
        return found
    reason = "needs servers of our own (`python -m scenario_tests.servers run`) and the openssl command"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def authorities(servers: Servers) -> Authorities:
    """In the servers' own folder, which their users can read, and which goes with them."""
    assert servers.state_file is not None
    folder = servers.state_file.parent / f"tls-{secrets.token_hex(4)}"
    ours, another = Authority(folder / "ours"), Authority(folder / "another")

    def certificates(user: str) -> dict[str, Certificate]:
        return {
            name: ours.certificate(f"{user} {name}".replace(" ", "-"), names=names, days=days, user=user_for(user))
            for name, names, days in (
                ("good", LOCAL, 2),
                ("of another name", "DNS:db.example,IP:127.9.9.9", 2),
                ("expired", LOCAL, -1),
            )
        }

    folder.chmod(0o755)
    return Authorities(ours.file, another.file, certificates("rabbitmq"), certificates("postgres"))


# --- RabbitMQ ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def amqps(servers: Servers, authorities: Authorities) -> dict[str, str]:
    """The URL at which the broker shows each certificate."""
    assert isinstance(servers.broker, RabbitNode)
    plain = servers.broker.new_vhost(f"tls_{secrets.token_hex(4)}")
    ports = {name: servers.broker.listen_with(each, authorities.ours) for name, each in authorities.broker.items()}
    account, vhost = plain.removeprefix("amqp://").rpartition("@")[0], plain.rpartition("/")[2]
    return {name: f"amqps://{account}@localhost:{port}/{vhost}" for name, port in ports.items()}


@pytest.mark.broker
@pytest.mark.parametrize("case", CASES)
def test_S15_only_a_broker_with_a_right_certificate_is_talked_to(
    case: str, amqps: dict[str, str], authorities: Authorities
) -> None:
    shown, trusted, says, _ = CASES[case]
    url = f"{amqps[shown]}?cacertfile={quote(str(getattr(authorities, trusted)))}"
    transport = RabbitTransport(url, consumes=None, name="tls")
    try:
        if not says:
            connected(transport)
            return
        transport.start()
        eventually(lambda: "certificate" in (transport.trouble or ""), f"told what is wrong with {case}")
        assert transport.trouble == says
    finally:
        transport.close()


@pytest.mark.broker
def test_S15_without_a_file_the_systems_authorities_are_asked(amqps: dict[str, str]) -> None:
    transport = RabbitTransport(amqps["good"], consumes=None, name="tls")
    transport.start()
    try:
        eventually(lambda: DISTRUST in (transport.trouble or ""), "refused")
    finally:
        transport.close()


@pytest.mark.broker
@pytest.mark.services
def test_S15_a_service_waits_for_a_right_certificate_and_says_so_in_one_line(
    amqps: dict[str, str], authorities: Authorities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {"CLERK_DATABASE_URL": "sqlite:///data/{service}.db", "CLERK_DEVELOPMENT": "yes"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(["migrate", "risk"]) == 0
    variables["CLERK_BROKER_URL"] = f"{amqps['expired']}?cacertfile={authorities.ours}"
    variables["CLERK_BROKER_SHARED_USER"] = user_in(amqps["expired"])
    with clerk("serve", "risk", "--port", "0", folder=tmp_path, **variables) as running:
        running.wait_for_error(f'reason="{DISTRUST}certificate has expired"')
        assert "Traceback" not in running.errors


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(servers: Servers) -> Iterator[PostgresCluster]:
    assert isinstance(servers.postgres, PostgresCluster)
    yield servers.postgres
    servers.postgres.serve_with(None)


@pytest.fixture
def database(cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a fresh database, by name: the host's name is checked."""
    name = f"tls_{secrets.token_hex(4)}"
    with session(cluster.admin_url) as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield cluster.admin_url.replace("127.0.0.1", "localhost").rpartition("/")[0] + f"/{name}"
    with session(cluster.admin_url) as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.database
@pytest.mark.parametrize("case", CASES)
def test_S15_only_a_database_with_a_right_certificate_is_talked_to(
    case: str,
    cluster: PostgresCluster,
    database: str,
    authorities: Authorities,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    shown, trusted, _, says = CASES[case]
    cluster.serve_with(authorities.database[shown])
    monkeypatch.chdir(tmp_path)
    checked = f"sslmode=verify-full&sslrootcert={getattr(authorities, trusted)}"
    monkeypatch.setenv("CLERK_DATABASE_URL", f"{database}?{checked}")
    code = run(["migrate", "risk"])
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == ((2, 1) if says else (0, 0))
    assert says in said


@pytest.mark.database
def test_S15_a_database_without_tls_is_not_talked_to_when_tls_is_asked_for(
    cluster: PostgresCluster,
    database: str,
    authorities: Authorities,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    cluster.serve_with(None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLERK_DATABASE_URL", f"{database}?sslmode=verify-full&sslrootcert={authorities.ours}")
    assert run(["migrate", "risk"]) == 2
    assert "server does not support SSL, but SSL was required" in capsys.readouterr().err
