"""What ended a connection to RabbitMQ, told in one clear line."""

from __future__ import annotations

import ssl

LONGEST = 300
"""Characters of a line."""

_PLAIN = {
    "StreamLostError": "connection lost",
    "AMQPConnectorStackTimeout": "no answer in time",
    "AMQPHeartbeatTimeout": "no heartbeat from the broker",
    "ConnectionBlockedTimeout": "the broker has blocked us for too long",
    "ProbableAuthenticationError": "the broker does not let us in",
    "ProbableAccessDeniedError": "the broker does not let us in",
}
"""pika's names of errors in plain words."""


def explain(error: BaseException) -> str:
    """The cause that pika has wrapped, several times over, in `error`."""
    cause = _cause(error)
    code, text = getattr(cause, "reply_code", None), getattr(cause, "reply_text", None)
    if text is not None and "inequivalent arg" in text:
        return one_line(f"a queue or exchange exists with other arguments and is left as it is: {text}")
    if text is not None:
        return one_line(f"the broker says {code} {text}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return one_line(f"the broker's certificate is not to be trusted: {cause.verify_message}")
    if isinstance(cause, OSError) and cause.strerror:
        return one_line(cause.strerror.lower())
    name = type(cause).__name__
    return one_line(": ".join(filter(None, (_PLAIN.get(name, name), str(cause)))))


def one_line(text: str) -> str:
    """Without control characters, and not endless: it came over the wire."""
    return "".join(one if one.isprintable() else " " for one in text)[:LONGEST]


def _cause(error: BaseException) -> BaseException:
    """pika keeps it in `exceptions` (one an attempt), `exception` (of one phase), or as the first argument."""
    attempts = getattr(error, "exceptions", ())
    for inner in (*attempts[-1:], getattr(error, "exception", None), *error.args[:1]):
        if isinstance(inner, BaseException):
            return _cause(inner)
    return error
