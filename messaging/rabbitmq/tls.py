"""TLS to RabbitMQ: the files that a URL names, and that the broker's certificate is always checked (security S15).

`amqps://…?cacertfile=CA.pem&certfile=OURS.pem&keyfile=OURS.key`, the names of RabbitMQ's own URI query parameters.
"""

from __future__ import annotations

import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit

FILES = ("cacertfile", "certfile", "keyfile")


def without_files(url: str) -> tuple[str, ssl.SSLContext | None]:
    """The URL without these parameters, and how to connect with them; None where it has none.

    ValueError with one clear line when they cannot be used.
    """
    parts = urlsplit(url)
    asked = parse_qsl(parts.query, keep_blank_values=True)
    files = {name: value for name, value in asked if name in FILES}
    if not files:
        return url, None
    if parts.scheme != "amqps":
        raise ValueError(f"broker URL: {', '.join(files)} is for amqps:// only")
    if "keyfile" in files and "certfile" not in files:
        raise ValueError("broker URL: keyfile needs a certfile")
    rest = urlencode([(name, value) for name, value in asked if name not in FILES])
    return parts._replace(query=rest).geturl(), _context(files)


def require_checks(context: ssl.SSLContext | None) -> None:
    """ValueError unless the broker's certificate and its name are checked; None is a connection without TLS."""
    if context is not None and (context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname):
        raise ValueError("broker URL: its ssl_options would let anybody be the broker: use cacertfile=FILE instead")


def _context(files: dict[str, str]) -> ssl.SSLContext:
    read = "cacertfile"
    try:
        context = ssl.create_default_context(cafile=files.get("cacertfile"))
        read = "certfile or keyfile"
        if "certfile" in files:
            context.load_cert_chain(files["certfile"], files.get("keyfile"), lambda: b"")
    except OSError as error:  # ssl.SSLError is one
        reason = "not in PEM format" if isinstance(error, ssl.SSLError) else (error.strerror or "unusable").lower()
        raise ValueError(f"broker URL: its {read} cannot be used: {reason}") from None
    return context
