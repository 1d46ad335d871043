"""`sluis demo`: made-up data, two projects, a running gateway and a first answer, in seconds.

Run again it reuses what it made: the datasets, the projects, their budgets, and the first answer,
which then costs nothing. Keys are made anew, since none is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.client import Client, Problem, Unreachable
from gateway.cli.output import emit, json_option, refusals_told

if TYPE_CHECKING:
    from gateway.cli.local import Local

HOME = "~/.local/share/sluis-demo"
START_SECONDS = 60.0
KEY_DAYS = 30


@dataclass(frozen=True, slots=True)
class Show:
    """One dataset of the demonstration, its project, and a question worth asking first."""

    dataset: str
    project: str
    share: str
    sql: str


SHOWS = (
    Show(
        "mobility",
        "presence",
        "2%",
        "SELECT area, COUNT(DISTINCT device_id) AS devices FROM pings GROUP BY area ORDER BY area",
    ),
    Show(
        "breaches",
        "breach-study",
        "2%",
        "SELECT o.sector, COUNT(DISTINCT o.organisation_id) AS organisations"
        " FROM organisations o JOIN notifications n ON n.organisation_id = o.organisation_id"
        " GROUP BY o.sector ORDER BY o.sector",
    ),
)
EPSILON, DELTA = "2", "2e-8"


@click.command()
@click.option("--once", is_flag=True, help="End after the first answer.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; a free one if not.")
@click.option(
    "--home",
    type=click.Path(file_okay=False),
    help=f"Folder of the demonstration; SLUIS_HOME, or {HOME}.",
)
@json_option
@refusals_told
def demo(once: bool, port: int | None, home: str | None, as_json: bool) -> None:
    """Make two datasets, start a gateway, ask a first question, and show how to go on."""
    from gateway.serve import free_port

    say = _quiet if as_json else click.echo
    place = Path(home or os.environ.get("SLUIS_HOME", HOME)).expanduser().absolute()
    key = prepared(place, say)
    address = ("127.0.0.1", port or free_port("127.0.0.1"))
    client = Client(f"http://{address[0]}:{address[1]}", key)
    say(f"Starting the gateway at {client.url} ...")
    with serving(place, address[1]) as server:
        awaited(client, server)
        release = asked(client, SHOWS[0])
        if as_json:
            emit({"url": client.url, "key": key, "project": SHOWS[0].project, "release": release})
        else:
            _show(client, release)
        if once:
            say("\nThe gateway stops now; without --once it goes on.")
        else:
            _stay(server, place, say)


def prepared(place: Path, say: Any) -> str:
    """A home with both datasets, projects with budgets, and a fresh key for all of it."""
    from gateway.access import Role
    from gateway.cli.local import opened
    from gateway.registry import now

    with opened(str(place)) as local:
        for show in SHOWS:
            _register(local, place, show, say)
            _fund(local, show, say)
            local.registry.give_role("demo", Role.ANALYST, show.project)
        from datetime import timedelta

        expires = now() + timedelta(days=KEY_DAYS)
        _, key = local.registry.create_key("demo", Role.ANALYST, None, expires)
    return key


@contextmanager
def serving(place: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway in a process of its own, stopped at the end; its log goes to a file."""
    settings = {"SLUIS_HOME": str(place), "SLUIS_PORT": str(port), "SLUIS_METRICS_PORT": "0"}
    command = [sys.executable, "-m", "gateway.cli.run", "serve"]
    with open(place / "serve.log", "ab", opener=_private) as log:
        server = subprocess.Popen(command, env=os.environ | settings, stderr=log, stdout=log)
    try:
        yield server
    finally:
        server.terminate()
        server.wait()


def awaited(client: Client, server: subprocess.Popen[bytes]) -> None:
    """Return once the gateway takes queries."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            client.get("/readyz", timeout=5)
        except (Unreachable, Problem):
            time.sleep(0.05)
        else:
            return
    click.echo("sluis: the gateway did not start; serve.log in the home says more.", err=True)
    sys.exit(1)


def asked(client: Client, show: Show) -> Any:
    """The first answer of a show, or the problem as it is, and the end."""
    from gateway.cli.client import told

    try:
        return client.ask(show.project, {"sql": show.sql, "budget_share": show.share})
    except Problem as problem:
        told(problem, as_json=False)


def _register(local: Local, place: Path, show: Show, say: Any) -> None:
    if show.dataset in local.registry.datasets():
        return
    from gateway.cli.datasets import progress_bar
    from gateway.deliveries import Deliveries
    from gateway.demo import sources

    folder = place / "sources" / show.dataset
    folder.mkdir(parents=True, exist_ok=True)
    say(f"Making the sources of {show.dataset} ...")
    {"mobility": sources.write_mobility, "breaches": sources.write_breaches}[show.dataset](folder)
    manifest = folder / f"{show.dataset}.yaml"
    shutil.copyfile(Path(sources.__file__).with_name(manifest.name), manifest)
    say(f"Registering {show.dataset} ...")
    with progress_bar(hidden=say is _quiet) as moved:
        made, _ = Deliveries(local.home, local.storage).register(manifest, moved)
    for line in made.report.lines():
        say(f"  {line}")


def _fund(local: Local, show: Show, say: Any) -> None:
    if show.project in {one.name for one in local.registry.projects()}:
        return
    from fractions import Fraction

    from gateway.record import Deed

    with local.record.act(Deed.PROJECT_OPENED, show.project, dataset=show.dataset) as tx:
        local.ledger.open_project(show.project, show.dataset, title="Demonstration", within=tx)
        budget = (Fraction(EPSILON), Fraction(DELTA), "demo", "first run")
        local.ledger.allocate(show.project, *budget, within=tx)
    say(f"Project {show.project} may spend epsilon {EPSILON} at delta {DELTA} of {show.dataset}.")


def _show(client: Client, release: Any) -> None:
    from gateway.cli.asking import show_release

    click.echo(f"\n{SHOWS[0].sql}\n")
    show_release(release)
    body = f'{{"sql": "{SHOWS[1].sql}", "budget_share": "{SHOWS[1].share}"}}'
    click.echo("\nGo on with a question about the other dataset:\n")
    click.echo(f"curl -s {client.url}/v1/projects/{SHOWS[1].project}/queries \\")
    click.echo(f"  -H 'Authorization: Bearer {client.key}' -H 'Accept: text/csv' \\")
    click.echo(f"  -H 'Content-Type: application/json' -d '{body}'\n")
    click.echo(f"or: export SLUIS_URL={client.url} SLUIS_KEY={client.key}")
    click.echo(f"    {_program()} query --project presence --epsilon 0.1 'SELECT ...'")


def _program() -> str:
    """How this program is called from where one is: its name if it is found, else its path."""
    mine = Path(sys.executable).with_name("sluis")
    found = shutil.which("sluis")
    if found is not None and Path(found) == mine:
        return "sluis"
    return str(mine.relative_to(Path.cwd()) if mine.is_relative_to(Path.cwd()) else mine)


def _stay(server: subprocess.Popen[bytes], place: Path, say: Any) -> None:
    say(f"\nThe gateway runs until you press Ctrl-C; its log is {place / 'serve.log'}.")
    try:
        server.wait()
    except KeyboardInterrupt:
        say("\nStopping ...")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _quiet(_text: str) -> None:
    """Says nothing: the one JSON document says all."""
