"""Serving: one gunicorn process whose threads sleep in time slots, and a clean end.

The lock on the home is taken before anything is opened, and inherited by the serving process, so
that it is held as long as either lives. SIGTERM stops listening, lets what is charged finish, and
ends the workers; a killed server leaves charges that the next one declares lost.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import structlog
from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from budgets.storage.faults import StorageBusy, StorageUnusable
from gateway import logs
from gateway.home import Home, take_lock
from gateway.logs import places
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.house import House

log = structlog.get_logger()


class QuietLogger(Logger):  # type: ignore[misc]
    """Gunicorn's own lines as ours: its levels, none of its texts, and no access log."""

    def setup(self, cfg: Any) -> None:
        """Nothing of gunicorn's handlers."""

    def critical(self, msg: str, *args: Any, **rest: Any) -> None:
        log.error("gunicorn", level_of="critical")

    def error(self, msg: str, *args: Any, **rest: Any) -> None:
        log.error("gunicorn", level_of="error")

    def warning(self, msg: str, *args: Any, **rest: Any) -> None:
        log.warning("gunicorn", level_of="warning")

    def info(self, msg: str, *args: Any, **rest: Any) -> None:
        """Starting and stopping are told by ourselves."""

    def debug(self, msg: str, *args: Any, **rest: Any) -> None:
        """Nothing: details of requests stay out of the log."""

    def exception(self, msg: str, *args: Any, **rest: Any) -> None:
        log.error("gunicorn", level_of="exception")

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing: gunicorn's access log would tell how long a query took."""


class Server(BaseApplication):  # type: ignore[misc]
    """The gateway as a gunicorn application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._house: Any = None
        super().__init__()

    def load_config(self) -> None:
        """One process, many threads; headers and lines bounded; no `Server` banner of a version."""
        settings = self._settings
        chosen = {
            "bind": f"{settings.host}:{settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": settings.threads,
            "timeout": 0,
            "graceful_timeout": settings.graceful,
            "keepalive": 5,
            "proc_name": "sluis",
            "logger_class": QuietLogger,
            "worker_tmp_dir": None,
            "limit_request_line": 4094,
            "limit_request_fields": 64,
            "worker_exit": self._ended,
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, opened in the serving process itself: workers do not survive a fork.

        What cannot be opened ends the server: trying again and again would mend nothing.
        """
        try:
            return self._opened()
        except (StorageUnusable, StorageBusy) as error:
            log.error("cannot start", kind=type(error).__name__, code=error.code, do=error.hint)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be served
            log.error("cannot start", kind=type(error).__name__, where=places(error))
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def _opened(self) -> Any:
        from gateway import metrics
        from gateway.home import private_files
        from gateway.house import House
        from gateway.http import app  # after the fork: native libraries do not survive one
        from gateway.spending import spending

        with private_files():
            self._house = House(self._settings)
        _announce_slots(self._house)
        _announce_nobody(self._house)
        house = self._house
        metrics.serve(
            self._settings.metrics_host,
            self._settings.metrics_port,
            lambda: spending(house.ledger, house.registry),
        )
        made = app.create(self._settings, self._house)
        _collect_seldom()
        log.info("ready", host=self._settings.host, port=self._settings.port)
        return made

    def _ended(self, server: Any, worker: Any) -> None:
        if self._house is not None:
            self._house.close()
            log.info("stopped")


def serve(settings: Settings) -> None:
    """Serve until told to stop; raises HomeInUse where another server owns the home."""
    logs.configure(settings.log_level)
    os.umask(0o077)  # whatever is made while it runs is for its owner alone
    home = Home(settings.home).prepare()
    lock = take_lock(home)
    os.set_inheritable(lock, False)
    wsgi.Response = _NoBanner
    util.write_error = _write_problem
    Server(settings).run()


def _write_problem(sock: socket.socket, status: int, reason: str, mesg: str) -> None:
    """What gunicorn itself cannot read, as a problem document; none of its words, or the caller's.

    It answers here before any of our own code is reached: a request line, header or length.
    """
    from gateway.http.problems import HTTP_ROWS, MEDIA_TYPE, problem

    row = HTTP_ROWS.get(status, HTTP_ROWS[400])
    body = json.dumps(problem(row[0], status, row[1], row[2])).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)


def _collect_seldom() -> None:
    """What is loaded by now stays; planning makes many small objects and few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def free_port(host: str) -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def _announce_nobody(house: House) -> None:
    """Say at start-up that nobody administers this house yet, and what to do about it."""
    if house.bootstrap.needed():
        log.warning("nobody administers this house", hint="sluis bootstrap")


def _announce_slots(house: House) -> None:
    """Say at start-up which datasets trust their analysts with the time an answer takes (P22)."""
    from queries.catalog.delivered import DeliveryDamaged

    for name in house.catalog.delivered():
        try:
            view = house.planner.view(name)
        except DeliveryDamaged:
            log.error("delivery damaged", dataset=name)
            continue
        if view.manifest.timing is None:
            log.warning("slots are off", dataset=name)


class _NoBanner(wsgi.Response):  # type: ignore[misc]
    """A response with no word about the software that serves it."""

    def default_headers(self) -> list[str]:
        """Gunicorn's own headers but one."""
        lines: list[str] = super().default_headers()
        return [line for line in lines if not line.startswith("Server:")]
