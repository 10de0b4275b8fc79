"""The whole shop in one thread: production code over a simulated clock, broker, stores, provider and people.

`clerk simulate` draws or enumerates faults, runs until nothing is under way, and checks the invariants
(docs/design/faults.md).
"""
