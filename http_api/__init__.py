"""Everything about HTTP that the five services share: errors, middleware, rate limits, principals, health and docs.

Knows no service. Of our own packages it imports `domain` and parts of `messaging`: database, health checks, JSON.
"""
