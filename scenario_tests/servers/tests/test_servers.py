"""The test servers themselves: they start, survive what is done to them, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pytest

from scenario_tests.servers import NotAvailable, Servers, attached_servers, postgres, private_servers, rabbit
from scenario_tests.servers.ports import ephemeral_start, free_ports
from scenario_tests.servers.processes import is_alive, wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Servers of our own, also inside a run that has some."""
    _need_packages()
    with private_servers({}) as started:
        yield started


def _need_packages() -> None:
    missing = [
        name
        for name, there in (("rabbitmq-server", rabbit.installed()), ("postgresql", postgres.installed()))
        if not there
    ]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def put(servers: Servers, queue: str, body: bytes) -> None:
    with closing(pika.BlockingConnection(pika.URLParameters(servers.broker_url))) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2))


def get(servers: Servers, queue: str) -> bytes | None:
    with closing(pika.BlockingConnection(pika.URLParameters(servers.broker_url))) as connection:
        body: bytes | None = connection.channel().basic_get(queue, auto_ack=True)[2]
        return body


def ask(url: str, statement: str) -> object:
    with postgres.session(url) as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_ports_are_free_different_and_below_the_ephemeral_range() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(1024 <= port < ephemeral_start() for port in ports)
    with socket.socket() as one:
        one.bind(("127.0.0.1", ports[0]))


def test_the_ephemeral_range_is_read_from_the_system() -> None:
    assert ephemeral_start("40000\t60999\n") == 40000
    assert ephemeral_start("") == 32768


def test_given_servers_are_used_and_cannot_be_stopped() -> None:
    given = {"CLERK_TEST_BROKER_URL": "amqp://host/", "CLERK_TEST_DATABASE_URL": "postgresql://host/postgres"}
    with private_servers(given) as servers:
        assert (servers.broker_url, servers.admin_url) == ("amqp://host/", "postgresql://host/postgres")
        assert not servers.broker.available
        for act in (servers.broker.stop, servers.broker.kill, servers.broker.start, servers.postgres.restart):
            with pytest.raises(NotAvailable, match="is not available: the"):
                act()
        with pytest.raises(NotAvailable, match="new_vhost"):
            servers.broker.new_vhost("shop")


def test_a_wrong_use_of_the_command_line_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scenario_tests.servers", "start"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("usage: ")


@pytest.mark.services
def test_servers_listen_on_loopback_below_the_ephemeral_range(servers: Servers) -> None:
    for url in (servers.broker_url, servers.admin_url):
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        assert (parts.port or 0) < ephemeral_start()


@pytest.mark.services
def test_postgresql_keeps_its_promises_about_the_disk(servers: Servers) -> None:
    assert ask(servers.admin_url, "SHOW fsync") == "on"
    assert ask(servers.admin_url, "SHOW synchronous_commit") == "on"
    assert ask(servers.admin_url, "SHOW max_connections") == "200"


@pytest.mark.services
def test_fresh_databases_are_empty_each_time(servers: Servers) -> None:
    template = servers.fresh_databases("fresh_")
    assert template.endswith("/fresh_{service}")
    for service in ("shop_manager", "shop", "risk", "payment", "fulfillment"):
        assert (
            ask(template.format(service=service), "CREATE TABLE t (); SELECT current_database()") == f"fresh_{service}"
        )
    servers.fresh_databases("fresh_")
    assert ask(template.format(service="shop"), "SELECT to_regclass('t')") is None


@pytest.mark.services
def test_the_broker_keeps_its_data_when_it_is_killed_or_stopped(servers: Servers) -> None:
    put(servers, "kept", b"once")
    put(servers, "kept", b"twice")
    servers.broker.ctl("eval", "mnesia:sync_log().")  # it writes declarations with some delay, messages at once
    servers.broker.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        get(servers, "kept")
    servers.broker.start()
    assert get(servers, "kept") == b"once"
    servers.broker.stop()
    servers.broker.start()
    assert get(servers, "kept") == b"twice"


@pytest.mark.services
def test_postgresql_comes_back_after_a_restart_and_a_crash(servers: Servers) -> None:
    url = servers.fresh_databases("crash_").format(service="shop")
    ask(url, "CREATE TABLE kept AS SELECT 42 AS number; SELECT 1")
    servers.postgres.restart()
    assert ask(url, "SELECT number FROM kept") == 42
    servers.postgres.kill()
    servers.postgres.start()
    assert ask(url, "SELECT number FROM kept") == 42


@pytest.mark.services
def test_a_new_virtual_host_can_be_used_at_once(servers: Servers) -> None:
    url = servers.broker.new_vhost("second")
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        assert connection.channel().queue_declare("q").method.message_count == 0


@pytest.mark.services
def test_another_process_acts_on_the_same_servers(servers: Servers) -> None:
    attached = attached_servers(servers.environment())
    assert attached is not None
    attached.broker.stop()
    assert not servers.broker.running  # type: ignore[union-attr]  # ours is a RabbitNode
    attached.broker.start()
    assert servers.broker.running  # type: ignore[union-attr]  # as above


@pytest.mark.services
def test_run_passes_the_exit_code_on_and_leaves_nothing() -> None:
    done = _run("sh", "-c", "echo $CLERK_TEST_SERVERS; exit 7")
    state_file, _ = done.communicate(timeout=120)
    assert done.returncode == 7
    assert not Path(state_file.strip()).parent.exists()


@pytest.mark.services
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_run_ends_the_servers_and_the_command(number: signal.Signals) -> None:
    run = _run("sh", "-c", "echo $CLERK_TEST_SERVERS; echo $$; exec sleep 600")
    assert run.stdout is not None
    folder, command = Path(run.stdout.readline().strip()).parent, int(run.stdout.readline())
    pids = [command, *(int(pid_file.read_text()) for pid_file in folder.glob("*/*.pid"))]
    assert len(set(pids)) == 4, "the command, the broker, its port mapper, and PostgreSQL"
    run.send_signal(number)
    with run:
        run.wait(60)
    wait_until(lambda: not any(map(is_alive, pids)), 30, "everything has ended")
    wait_until(lambda: not folder.exists(), 30, "the folder is gone")
    assert run.returncode == (-9 if number == signal.SIGKILL else 128 + number)


@pytest.mark.services
def test_what_a_command_leaves_on_record_when_it_is_killed_ends_with_the_run() -> None:
    program = (
        "import os, signal, subprocess\n"
        "from pathlib import Path\n"
        "from scenario_tests.servers.processes import pid_file_beside, recording_pid\n"
        "pid_file = pid_file_beside(Path(os.environ['CLERK_TEST_SERVERS']), 'left')\n"
        "left = subprocess.Popen(recording_pid(pid_file, ['sleep', '600']), stdout=subprocess.DEVNULL)\n"
        "print(left.pid, flush=True)\n"
        "while not pid_file.exists() or not pid_file.read_text(): pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    run = _run(sys.executable, "-c", program)
    told, _ = run.communicate(timeout=120)
    assert run.returncode == 128 + signal.SIGKILL
    assert not is_alive(int(told))


def _run(*command: str) -> subprocess.Popen[str]:
    _need_packages()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLERK_TEST_")}
    return subprocess.Popen(
        [sys.executable, "-m", "scenario_tests.servers", "run", "--", *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.services
def test_the_state_file_is_for_its_owner_only(servers: Servers) -> None:
    assert servers.state_file is not None
    assert servers.state_file.stat().st_mode & 0o077 == 0
