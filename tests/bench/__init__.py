"""Benchmarks: measured beside the tests, never part of them. `python -m tests.bench --help`."""
