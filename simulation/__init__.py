"""The whole shop in one thread: production code over a simulated clock, broker, stores, provider and people.

`clerk simulate` draws or enumerates faults, runs to quiet, and holds the result against the invariants (faults.md).
"""
