"""Benchmarks: real processes under load, measured from outside. Never part of the tests."""
