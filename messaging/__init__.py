"""Handling each message so that its effect happens once: envelope, broker port, turns, outbox, the worker."""
