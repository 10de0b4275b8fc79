"""Everything about HTTP that the five services share: errors, guards, limits, callers, health and docs.

Knows no service; imports `domain` and `messaging.database`, nothing else of ours.
"""
