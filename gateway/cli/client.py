"""The gateway over HTTP, as the command line uses it: one request, one answer or problem."""

from __future__ import annotations

import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, NoReturn

import click

from gateway.cli.output import FAULTED, REFUSED, UNREACHABLE, emit, tell_amounts

TRIES = 3
PATIENCE = 3700.0


class Unreachable(Exception):
    """There is no gateway at that address, or it does not answer."""


class Problem(Exception):
    """The gateway answered with a problem document."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(str(document.get("detail", "")))
        self.document = document


@dataclass(frozen=True, slots=True)
class Client:
    """A gateway and a key."""

    url: str
    key: str

    def get(self, path: str, timeout: float = PATIENCE) -> Any:
        """What the resource holds."""
        return self._asked("GET", path, None, {}, timeout)

    def post(self, path: str, body: dict[str, Any], idempotency_key: str | None = None) -> Any:
        """What the resource answers; under a key a broken connection is safely tried again."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._asked("POST", path, body, headers)

    def ask(self, project: str, body: dict[str, Any]) -> Any:
        """The release of a query, charged once however often the connection breaks."""
        name = secrets.token_hex(16)
        path = f"/v1/projects/{project}/queries"
        for left in reversed(range(TRIES)):
            try:
                return self.post(path, body, name)
            except Unreachable:
                if not left:
                    raise
        raise Unreachable()

    def _asked(
        self, method: str, path: str, body: Any, headers: dict[str, str], timeout: float = PATIENCE
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key}", "Accept": "application/json", **headers}
        if data is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(self.url.rstrip("/") + path, data, sent, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise Problem(_document(error)) from None
        except (OSError, HTTPException, ValueError):
            raise Unreachable() from None


def connected() -> Client:
    """The client of SLUIS_URL and SLUIS_KEY."""
    url = os.environ.get("SLUIS_URL", "http://127.0.0.1:8080")
    key = os.environ.get("SLUIS_KEY", "")
    if not url.startswith(("http://", "https://")):
        raise click.UsageError("SLUIS_URL has to begin with http:// or https://.")
    if not key:
        raise click.UsageError("Set SLUIS_KEY to your API key (`sluis key create` makes one).")
    return Client(url, key)


def told(problem: Problem, *, as_json: bool) -> NoReturn:
    """Print a problem as people read it, with a caret under its place in the SQL, and end."""
    document = problem.document
    if as_json:
        emit(document)
    else:
        _explain(document)
    sys.exit(FAULTED if document.get("incident") else REFUSED)


def unreachable(client: Client) -> NoReturn:
    """Say that nobody answers, and end."""
    click.echo(f"sluis: no gateway answers at {client.url}.", err=True)
    click.echo("  Start one with `sluis serve`, or set SLUIS_URL.", err=True)
    sys.exit(UNREACHABLE)


def _explain(document: dict[str, Any]) -> None:
    click.echo(f"sluis: {document.get('detail')} [{document.get('code')}]", err=True)
    if document.get("translation"):
        click.echo("  translated:", err=True)
        _block(document["translation"])
    _block(document.get("excerpt"))
    tell_amounts(document)
    for fault in document.get("errors", []):
        click.echo(f"  {fault['where']}: {fault['what']}", err=True)
    for name in ("hint", "incident"):
        if document.get(name):
            click.echo(f"  {name}: {document[name]}", err=True)
    if document.get("rewrite"):
        click.echo("  this is answered:", err=True)
        _block(document["rewrite"])


def _block(text: str | None) -> None:
    """SQL, indented line by line."""
    for line in (text or "").splitlines():
        click.echo(f"    {line}", err=True)


def _document(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        found = json.loads(error.read())
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    return {"code": f"http-{error.code}", "detail": f"The gateway answered {error.code}."}
