"""A real nginx in front of a shop, with TLS by a certificate of its own and a path prefix, for the tests."""

from __future__ import annotations

import datetime
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, socket
from threading import Event
from time import monotonic

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scripts.nginx import installed

PREFIX = "/clerk"
LIMIT = 30.0
PASSES_ON_AT_ONCE = "proxy_buffering off;"
PACKS_AND_BUFFERS = "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types application/json text/event-stream;"
"""What delays and changes answers the most; buffering is on where nothing is said."""
_CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log stderr warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;
    location {prefix}/ {{
      proxy_pass {target};
      proxy_http_version 1.1;
      {options}
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


def program() -> str:
    """Without an nginx the test is skipped on a laptop, and fails where CI=true."""
    found = installed()
    if found:
        return found
    reason = "no nginx to test with: install the package nginx"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(
    folder: Path, port: int, shop: str, *, takes_prefix_off: bool, options: str = PASSES_ON_AT_ONCE
) -> Iterator[ssl.SSLContext]:
    """Until the block ends, `https://localhost:PORT/clerk` is the shop; yields whom a client has to trust for that."""
    _write_certificate(folder)
    target = f"{shop}/" if takes_prefix_off else shop
    text = _CONFIGURATION.format(folder=folder, port=port, prefix=PREFIX, target=target, options=options)
    (folder / "nginx.conf").write_text(text)
    command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with (folder / "nginx.log").open("w") as log:
        running = subprocess.Popen(command, stderr=log, start_new_session=True)
    try:
        _wait_for(running, port, folder / "nginx.log")
        yield ssl.create_default_context(cafile=folder / "certificate.pem")
    finally:
        os.killpg(running.pid, signal.SIGKILL)  # our signals may be blocked, and a child inherits that
        running.wait(LIMIT)


def _wait_for(running: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = monotonic() + LIMIT
    while True:
        try:
            create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert running.poll() is None and monotonic() < until, log.read_text()
            Event().wait(0.02)
        else:
            return


def _write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
