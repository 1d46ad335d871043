"""Settings: everything an operator may choose, read once from the environment.

Each setting is a variable `SLUIS_<NAME>`; `docs/operations.md` lists them all. None of them turns
noise off, and none weakens what the ledger promises.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from environs import Env, EnvError, validate

from gateway.home import Home

DEFAULT_HOME = Path("~/.local/share/sluis")


class BadSettings(Exception):
    """A setting cannot be read; the text names the variable."""

    code = "bad-settings"


def _meta(text: str, default: object, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"help": text}, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator chose. Field `name` is read from the variable `SLUIS_NAME`."""

    home: Path = _meta("folder that holds everything embedded", DEFAULT_HOME)
    database: str = _meta(
        "postgresql://user@host:port/name; empty: SQLite in the home", "", secret=True
    )
    host: str = _meta("address of the main listener", "127.0.0.1")
    port: int = _meta("port of the main listener", 8080)
    metrics_host: str = _meta("address of the operators' listener (/metrics)", "127.0.0.1")
    metrics_port: int = _meta("port of the operators' listener; 0 switches it off", 9464)
    threads: int = _meta("requests served at the same time (time slots sleep in them)", 64)
    workers: int = _meta(
        "enclave processes: queries that run at once; one is kept for projects that ask little",
        3,
    )
    worker_memory: int = _meta("memory of one enclave process, in MiB", 1024)
    worker_threads: int = _meta("engine threads of one enclave process", 2)
    release_workers: int = _meta(
        "release-engine processes (plans and answers, no private data); one is kept likewise",
        2,
    )
    release_memory: int = _meta("memory of one release-engine process, in MiB", 512)
    proxies: int = _meta("trusted reverse proxies in front (X-Forwarded-* hops); 0: none", 0)
    body_limit: int = _meta("largest request body, in bytes", 65_536)
    wait: int = _meta("seconds to wait for the same query in flight before saying 409", 10)
    queue: int = _meta("seconds a query may wait for a free enclave process", 60)
    queued: int = _meta("queries that may wait for one at the same time, in all", 64)
    queued_project: int = _meta("queries of one project that may wait for one", 16)
    rate: int = _meta("requests of one key a minute; a charged query counts as ten; 0: any", 1200)
    oidc_issuer: str = _meta("address of the identity provider; empty: API keys alone", "")
    oidc_audience: str = _meta("audience that its tokens have to name", "")
    oidc_member_claim: str = _meta("claim of a token that holds the member's id", "sub")
    oidc_role_claim: str = _meta("claim whose words hold a token to roles; empty: none does", "")
    oidc_roles: str = _meta("what those words mean: word=role, ...", "")
    oidc_keys_last: int = _meta("seconds that known keys work without the provider", 86_400)
    graceful: int = _meta("seconds a stopping server waits for charges in flight", 90)
    rho_floor: Decimal = _meta("least rho that an executed query costs", Decimal("0.00001"))
    request_share: Decimal = _meta("most of a project's budget one query may cost", Decimal(1))
    delta_share: Decimal = _meta("share of the remaining delta a query may use", Decimal("0.05"))
    checkpoint: int = _meta("seconds between signed checkpoints that are kept", 3600)
    log_level: str = _meta("debug, info, warning or error", "info")

    @property
    def ledger(self) -> Path | str:
        """Where the ledger lives: the address of a server's database, or the file in the home."""
        return self.database or Home(self.home).database


def load(**chosen: object) -> Settings:
    """The settings of the environment, with those `chosen` on the command line over them."""
    env = Env(prefix="SLUIS_")
    try:
        values = _from_environment(env)
    except EnvError as error:
        raise BadSettings(str(error)) from None
    values.update({name: value for name, value in chosen.items() if value is not None})
    values["home"] = Path(str(values["home"])).expanduser().absolute()
    return Settings(**values)


def documented() -> list[tuple[str, str, str]]:
    """Variable, default and meaning of every setting, in the order of the table in the docs."""
    return [
        (f"SLUIS_{item.name.upper()}", _shown(item.default), str(item.metadata["help"]))
        for item in fields(Settings)
    ]


def _shown(default: object) -> str:
    return str(default)


def _from_environment(env: Env) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if f"SLUIS_{item.name.upper()}" in os.environ:
            values[item.name] = _read(env, item.name, item.default)
    return {"home": DEFAULT_HOME, **values}


def _read(env: Env, name: str, default: object) -> object:
    variable = name.upper()
    if name == "log_level":
        levels = validate.OneOf(["debug", "info", "warning", "error"])
        return env.str(variable, validate=levels)
    if isinstance(default, Decimal):
        return env.decimal(variable, validate=validate.Range(Decimal(0), Decimal(1)))
    if isinstance(default, int):
        return env.int(variable, validate=validate.Range(*_range(name)))
    return env.str(variable)


def _range(name: str) -> tuple[int, int]:
    """The least and most of a whole number; nothing but ports, hops and waits may be zero."""
    if name == "port" or name == "metrics_port":
        return 0, 65_535
    return (0 if name in {"proxies", "wait", "queue", "graceful", "rate"} else 1), 2**31
