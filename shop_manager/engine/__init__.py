"""Runs the saga: reads Clerks, has `decide` decide, writes what follows, and sends it."""
