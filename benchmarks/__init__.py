"""Benchmarks: real processes under load, measured from outside. They are not part of the tests."""
