"""Clients that generators make of the OpenAPI document, and what linters say of it (README.md)."""
