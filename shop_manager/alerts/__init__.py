"""Alerts: causes of being stuck are told to people outside, through an outbox of their own (docs/decisions/132)."""
