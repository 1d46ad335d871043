"""Ways out of a database engine, each of which a sealed one must close."""

from __future__ import annotations

ATTEMPTS = {
    "read a csv": "SELECT * FROM read_csv('{home}/other.csv')",
    "read text": "SELECT * FROM read_text('/etc/passwd')",
    "read a blob": "SELECT * FROM read_blob('/etc/passwd')",
    "list files": "SELECT * FROM glob('/etc/*')",
    "a file as a table": "FROM '{home}/other.csv'",
    "sniff a csv": "SELECT * FROM sniff_csv('{home}/other.csv')",
    "parquet metadata": "SELECT * FROM parquet_metadata('{home}/other.parquet')",
    "read a database": "SELECT * FROM read_duckdb('{home}/other.duckdb')",
    "copy out": "COPY visits TO '{home}/stolen.csv'",
    "copy in": "COPY visits FROM '{home}/other.csv'",
    "export": "EXPORT DATABASE '{home}/stolen'",
    "replacement scan": "SELECT * FROM python_variable",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "attach a file": "ATTACH '{home}/other.duckdb' AS other",
    "attach memory": "ATTACH ':memory:' AS other",
    "create": "CREATE TABLE stolen AS SELECT * FROM visits",
    "insert": "INSERT INTO visits SELECT * FROM visits",
    "delete": "DELETE FROM visits",
    "threads": "SET threads = 64",
    "memory": "SET memory_limit = '64GB'",
    "reset": "RESET memory_limit",
    "external access": "SET enable_external_access = true",
    "unlock": "SET lock_configuration = false",
    "spill elsewhere": "SET temp_directory = '{home}'",
    "logging": "CALL enable_logging()",
    "profiling": "PRAGMA enable_profiling = 'json'",
    "profiling output": "SET profiling_output = '{home}/profile.txt'",
    "http": "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "environment": "SELECT getenv('HOME')",
}

NOT_IN_THIS_BUILD = {
    "external access",
    "replacement scan",
    "install",
    "load",
    "http",
    "environment",
}
"""Attempts that fail on an open connection too."""
