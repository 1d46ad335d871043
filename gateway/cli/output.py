"""What commands print: one JSON document with --json, plain text for people without; and errors.

A refusal is printed with its way out and, for SQL, with a caret under the place it speaks of.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, NoReturn, TypeVar, cast

import click

Command = TypeVar("Command", bound=Callable[..., Any])

REFUSED = 1
UNREACHABLE = 3
FAULTED = 4
WIDEST = 10_000


def json_option(command: Command) -> Command:
    """The option --json, passed on as `as_json`."""
    option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
    return option(command)


def home_option(command: Command) -> Command:
    """The option --home, passed on as `home`."""
    option = click.option(
        "--home",
        type=click.Path(file_okay=False),
        help="Folder that holds everything embedded; SLUIS_HOME, or ~/.local/share/sluis.",
    )
    return option(command)


def reason_option(command: Command) -> Command:
    """The option --reason, which an act on budgets does not go without."""
    option = click.option("--reason", required=True, help="Why, for the record.")
    return option(command)


def refusals_told(command: Command) -> Command:
    """Print refusals of local commands as they are meant, with exit code 1 and no stack trace."""

    @wraps(command)
    def told(*args: Any, **rest: Any) -> Any:
        try:
            return command(*args, **rest)
        except Exception as error:  # noqa: BLE001 - what explains itself is told, the rest is raised
            fail(error, as_json=bool(rest.get("as_json")))

    return cast(Command, told)


def fail(error: Exception, *, as_json: bool) -> NoReturn:
    """End with what an error says, if it is one that explains itself; else raise it on."""
    explained = _explained(error)
    if explained is None:
        raise error
    if as_json:
        emit(explained)
    else:
        click.echo(f"sluis: {explained['detail']}", err=True)
        for line in explained.get("faults", []):
            click.echo(f"  {line}", err=True)
        tell_amounts(explained)
        if explained.get("hint"):
            click.echo(f"  {explained['hint']}", err=True)
    sys.exit(REFUSED)


def tell_amounts(document: dict[str, Any]) -> None:
    """Print what was requested of a budget and what remains, where a refusal tells it."""
    for name in ("requested", "remaining"):
        if name in document:
            amounts = ", ".join(f"{unit} {amount}" for unit, amount in document[name].items())
            click.echo(f"  {name}: {amounts}", err=True)


_FAULTY = {
    "ManifestRefused": ("manifest-refused", "The manifest cannot be used:"),
    "RegistrationFailed": (
        "registration-failed",
        "The delivery was not made; nothing has changed:",
    ),
}


def _explained(error: Exception) -> dict[str, Any] | None:
    from gateway.budgeting import exact_loss

    faults = [str(fault) for fault in getattr(error, "faults", ())]
    code = getattr(error, "code", None)
    if faults:
        name = type(error).__name__
        kind = {"ManifestRefused": "manifest-refused", "RegistrationFailed": "registration-failed"}
        detail = {
            "ManifestRefused": "The manifest cannot be used:",
            "RegistrationFailed": "The delivery was not made; nothing has changed:",
        }
        return {
            "code": kind.get(name, "refused"),
            "detail": detail.get(name, name),
            "faults": faults,
        }
    if isinstance(code, str):
        return {"code": code, "detail": str(error), "hint": getattr(error, "hint", None)} | {
            name: exact_loss(getattr(error, name))
            for name in ("requested", "remaining")
            if hasattr(error, name)
        }
    if isinstance(error, FileNotFoundError):
        return {"code": "no-such-file", "detail": f"There is no file {error.filename}."}
    if type(error).__name__ == "RegistrationBusy":
        return {"code": "registration-busy", "detail": str(error)}
    return None


def emit(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people: `>` before a name sets a column right, `=` keeps it in one piece.

    Nothing is cut off: a terminal folds what is too wide, a pipe or file gets whole lines.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    drawn = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for name in header:
        drawn.add_column(
            name.lstrip(">="),
            justify="right" if name.startswith(">") else "left",
            no_wrap=name.startswith("="),
            overflow="fold",
        )
    for row in rows:
        drawn.add_row(*row)
    width = None if sys.stdout.isatty() else WIDEST
    Console(highlight=False, markup=False, soft_wrap=False, width=width).print(drawn)
