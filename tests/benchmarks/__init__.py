"""Benchmarks: what the gateway costs over plain DuckDB. Run `python -m tests.benchmarks --help`."""
