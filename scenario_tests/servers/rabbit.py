"""A private RabbitMQ node: own name, ports, data, plugins, cookie and port mapper; no system node is touched."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from scenario_tests.servers.certificates import Certificate
from scenario_tests.servers.ports import free_ports
from scenario_tests.servers.processes import ServerProcess, change_owner, user_for, wait_until

START_LIMIT, STOP_LIMIT, CTL_LIMIT = 180.0, 120.0, 180.0
"""Seconds, many times what it takes: on a busy machine an Erlang system takes a minute to start."""
_PACKAGED = Path("/usr/lib/rabbitmq/bin")  # past Debian's wrapper, which writes to the system broker's folders
_CONFIG = """\
loopback_users.guest = true
vm_memory_high_watermark.absolute = 2GB
disk_free_limit.absolute = 64MB
log.console = true
log.console.level = warning
log.file = false
"""
_GREETING = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """All that another process needs to act on the same node; JSON-able."""

    folder: str
    name: str
    port: int
    dist_port: int
    mapper_port: int
    tool_port: int


class RabbitNode:
    """The node of these settings. Any process of the same user may stop, kill and start it."""

    available = True

    def __init__(self, settings: NodeSettings) -> None:
        self.settings = settings
        self.folder = Path(settings.folder)
        user = user_for("rabbitmq")
        self._node = ServerProcess("rabbitmq", self.folder, user)
        self._mapper = ServerProcess("epmd", self.folder, user)
        self.url = self.url_of("%2F")

    @classmethod
    def create(cls, folder: Path) -> RabbitNode:
        """A new node with empty data in `folder`; not started yet."""
        port, dist_port, mapper_port, tool_port = free_ports(4)
        settings = NodeSettings(str(folder), f"clerk_test_{port}@localhost", port, dist_port, mapper_port, tool_port)
        for part in ("data", "log", "home"):
            (folder / part).mkdir(parents=True)
        (folder / "rabbitmq.conf").write_text(_CONFIG)
        (folder / "enabled_plugins").write_text("[].\n")
        node = cls(settings)
        change_owner(folder, node._node.user)
        return node

    def as_json(self) -> dict[str, object]:
        return asdict(self.settings)

    def url_of(self, vhost: str) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.settings.port}/{vhost}"

    def start(self) -> None:
        """Start it on the data it has; returns when it greets clients."""
        environment = self._environment()
        if self._mapper.pid is None:
            mapper = shutil.which("epmd") or "epmd"
            self._mapper.launch([mapper, "-relaxed_command_check"], environment)
            self._mapper.wait_ready(lambda: _accepts(self.settings.mapper_port), 10.0)
        # These two make the script become the Erlang machine, so that the pid is the broker's own.
        server = environment | {"RABBITMQ_ALLOW_INPUT": "1"}
        self._node.launch([_tool("rabbitmq-server"), "-noinput"], server)
        self._node.wait_ready(lambda: _greets(self.settings.port), START_LIMIT)

    def stop(self) -> None:
        """An orderly stop, as before maintenance."""
        self._node.signal_and_wait(signal.SIGTERM, STOP_LIMIT)

    def kill(self) -> None:
        """kill -9."""
        self._node.signal_and_wait(signal.SIGKILL, 10.0)
        wait_until(lambda: not _accepts(self.settings.port), 10.0, "the broker's port is closed")

    def wipe(self) -> None:
        """Its machine is lost: killed, and with it all that it kept, virtual hosts and users too. Starts as new."""
        self.kill()
        shutil.rmtree(self.folder / "data")
        (self.folder / "data").mkdir()
        change_owner(self.folder / "data", self._node.user)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and says nothing, like a black hole."""
        if self._node.pid is not None:
            os.kill(self._node.pid, signal.SIGSTOP)

    def resume(self) -> None:
        if self._node.pid is not None:
            os.kill(self._node.pid, signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """Of the Erlang machine; None while it does not run."""
        return self._node.pid

    def new_vhost(self, name: str) -> str:
        """A new virtual host, on which guest may do everything; returns its URL."""
        if not re.fullmatch(r"[a-z0-9_.-]+", name):
            raise ValueError(f"virtual host {name!r}: allowed are a-z 0-9 _ . -")
        self.ctl("add_vhost", name)
        self.ctl("set_permissions", "-p", name, "guest", ".*", ".*", ".*")
        return self.url_of(name)

    def listen_with(self, certificate: Certificate, authority: Path) -> int:
        """Also take TLS connections, with this certificate; returns the port. Only until the next start."""
        [port] = free_ports(1)
        files = {"cacertfile": authority, "certfile": certificate.file, "keyfile": certificate.key}
        options = ",".join(f'{{{name},"{file}"}}' for name, file in files.items())
        address = f'{{"127.0.0.1",{port}}}'
        self.ctl("eval", f"rabbit_networking:start_ssl_listener({address}, [{options}], 1).")
        return port

    def ctl(self, *arguments: str) -> str:
        """`rabbitmqctl` on this node; its output. RuntimeError with its words when it fails."""
        done = subprocess.run(
            [_tool("rabbitmqctl"), "--quiet", "--node", self.settings.name, *arguments],
            env=self._environment(),
            cwd=self.folder,
            user=self._node.user,
            group=_group(self._node.user),
            extra_groups=None if self._node.user is None else [],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=CTL_LIMIT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def put_ctl_into(self, folder: Path, log: Path) -> None:
        """Make a `rabbitmqctl` in this folder that acts on this node, and writes its arguments into `log`."""
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in self._environment().items())
        tool = f"{shlex.quote(_tool('rabbitmqctl'))} --node {self.settings.name}"
        script = folder / "rabbitmqctl"
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\ncd {self.folder}\nexec env -i {variables} {tool} "$@"\n')
        script.chmod(0o755)

    def enable_management(self) -> str:
        """Let it answer its HTTP API, from now on until it stops; returns the API's URL for guest."""
        port, enabled = free_ports(1)[0], self.folder / "enabled_plugins"
        listener = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
        self.ctl("eval", f"application:set_env(rabbitmq_management, tcp_config, {listener}, [{{persistent, true}}]).")
        enabled.write_text("[rabbitmq_management].\n")
        self.ctl("eval", f'rabbit_plugins:ensure("{enabled}").')
        enabled.write_text("[].\n")
        wait_until(lambda: _accepts(port), START_LIMIT, "the management plugin listens")
        return f"http://guest:guest@127.0.0.1:{port}"

    def _environment(self) -> dict[str, str]:
        settings, folder = self.settings, self.settings.folder
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": f"{folder}/home",
            "ERL_EPMD_PORT": str(settings.mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_NODENAME": settings.name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(settings.port),
            "RABBITMQ_DIST_PORT": str(settings.dist_port),
            "RABBITMQ_CTL_DIST_PORT_MIN": str(settings.tool_port),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(settings.tool_port),
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/data/config",
            "RABBITMQ_SCHEMA_DIR": f"{folder}/data/schema",
            "RABBITMQ_PID_FILE": f"{folder}/home/node.pid",
            # Two cores are shared by everybody: do not spin while idle; speak to other nodes on loopback only.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
        }


def installed() -> bool:
    """Is there a RabbitMQ on this machine?"""
    return (_PACKAGED / "rabbitmq-server").exists() or shutil.which("rabbitmq-server") is not None


def _tool(name: str) -> str:
    packaged = _PACKAGED / name
    found = str(packaged) if packaged.exists() else shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed")
    return found


def _group(user: str | None) -> int | None:
    import pwd  # noqa: PLC0415  Unix only

    return None if user is None else pwd.getpwnam(user).pw_gid


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def _greets(port: int) -> bool:
    """Does it answer an AMQP client's first bytes with a method frame? It listens a little before it serves."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as probe:
            probe.sendall(_GREETING)
            return probe.recv(1) == b"\x01"
    except OSError:
        return False
