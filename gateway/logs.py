"""Logs: JSON lines on standard error, with no SQL, no literal, no value and no key in them.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a log line is a function of public facts: ids, codes, counts of requests.
    Requires    events are logged by name with chosen fields, never with an error's text, and no
                line says how long a query took (P22, P24).
    Why         an engine's message may quote a row, and a duration may depend on one.
    Tried by    tests/gateway/test_logs.py
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every line, those of libraries included, to `stream` as one JSON object."""
    threshold = getattr(logging, level.upper())
    steps: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*steps, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Named(stream or sys.stderr)]
    root.setLevel(max(threshold, logging.WARNING))


def places(error: BaseException) -> list[str]:
    """Module and line of each frame the error passed: no values, no source text."""
    found = []
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__", "?")
        found.append(f"{name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return found[-12:]


class _Named(logging.StreamHandler[TextIO]):
    """Lines of libraries: who spoke and how loud, never what, for it may quote a value."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(record.levelno, "library", source=record.name)
