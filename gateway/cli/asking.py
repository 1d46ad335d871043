"""`sluis query`, `quote`, `budget`, `history`: ask a gateway over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from gateway.cli.bodies import body_of
from gateway.cli.client import Problem, Unreachable, connected, told, unreachable
from gateway.cli.output import emit, json_option, table
from gateway.others import LABEL, labelled

ALWAYS = ("allocated", "reserved", "spent", "remaining")
NONE = {"words": "nothing"}

Command = TypeVar("Command", bound=Callable[..., Any])

project_option = click.option("--project", required=True, help="The project that pays.")


def price_options(command: Command) -> Command:
    """The statement and exactly one price."""
    for option in (
        click.argument("sql"),
        click.option("--share", help="Price: a share of the project's budget, such as 1%."),
        click.option("--share-left", help="Price: a share of what is left of it, such as 1%."),
        click.option("--rho", help="Price: rho of the answer."),
        click.option("--epsilon", help="Price: epsilon of the answer, at the project's delta."),
        click.option("--preset", type=click.Choice(["rough", "normal", "precise"]),
                     help="Price: what the project sets for this word."),
        click.option("--from-release",
                     help="Instead of a price: the id of a release that FROM release means; free."),
        click.option("--max-error", "errors", multiple=True,
                     help="Price: the least that keeps errors within 25, 5%, a median within "
                     "'2% of rows' or, for one column, NAME=25; once for each that is named."),
        click.option("--group-size",
                     help="With --max-error: rows of the groups it is for; declared, released."),
        click.option("--group-spread", help="With --max-error: standard deviation of what is "
                     "correlated in them, as a share of its range: 10%."),
        click.option("--confidence", help="Of the intervals; 0.95 unless given."),
        click.option("--block", help="The block to read, as 2026-H1; the newest unless given."),
        click.option("--from-earmark", metavar="NAME",
                     help="Pay from what the project keeps for later under this name."),
        click.option("--blocks", help="Several, as 2025-H1..2026-H1 or all."),
        click.option("--dialect", help="Of the statement; DuckDB's unless given."),
        click.option("--other", is_flag=True, help="Add one row of all groups held back."),
        click.option("--groups-per-unit", type=click.IntRange(min=1),
                     help="Bound: most groups in which one unit counts."),
        click.option("--rows-per-group", type=click.IntRange(min=1),
                     help="Bound: most rows of one unit that count in a group."),
        click.option("--range", "ranges", type=(str, str, str), multiple=True,
                     metavar="COLUMN LOWER UPPER", help="Bound: a tighter range of a column."),
        click.option("--effects", is_flag=True,
                     help="Add which share of rows and totals these bounds leave out."),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@project_option
@price_options
@click.option("--fresh", is_flag=True, help="Draw anew and pay anew where a stored answer serves.")
@json_option
def query(project: str, fresh: bool, as_json: bool, **asked: Any) -> None:
    """Ask one SQL query; `-` reads it from standard input. Needs SLUIS_URL and SLUIS_KEY."""
    body = body_of(**asked)
    if fresh:
        body.setdefault("options", {})["replay"] = False
    release = answered(lambda client: client.ask(project, body), as_json)
    emit(release) if as_json else show_release(release)


@click.command()
@project_option
@price_options
@json_option
def quote(project: str, as_json: bool, **asked: Any) -> None:
    """Learn what a query would cost and how exact its answer would be; free."""
    body = body_of(**asked)
    path = f"/v1/projects/{project}/quotes"
    found = answered(lambda client: client.post(path, body), as_json)
    emit(found) if as_json else show_quote(found)


def show_quote(found: dict[str, Any]) -> None:
    """A price and, line by line, how exact the answer would be and what would be done."""
    paid = f", paid in block {', '.join(found['blocks'])}" if found["blocks"] else ""
    click.echo(f"Costs {_loss(found['privacy_loss'])}{paid}.")
    if not found["affordable"]:
        click.echo("The project cannot pay that now.")
    lines = [("", error) for error in found["expected_error"]]
    lines += [(f" {LABEL}", error) for error in found["other"] or ()]
    for label, error in lines:
        margin = error["reason"] if error["margin"] is None else f"+-{number(error['margin'])}"
        click.echo(f"  {error['name']}{label}: {margin}{_meant(error['asked'])}")
    for column in [one for stage in found["stages"] for one in stage["columns"]]:
        read = ", ".join(column["read_by"]) or "what decides about groups or tells of bounds"
        click.echo(f"  {column['share']} of it is for {read}.")
    show_effects(found["effects"], _expected)
    if found["slot"] and found["privacy_loss"]["budget_share"] != "0%":
        click.echo(f"  The answer leaves {found['slot']:g} s after a worker takes the query.")
    for line in [*found["plan"], *found["warnings"]]:
        click.echo(f"  {line}")


def _meant(asked: dict[str, Any] | None) -> str:
    """What an error that was asked for came to."""
    if asked is None:
        return ""
    if asked["magnitude"] is None:
        return f" (asked: +-{asked['max_error']})"
    unit = " rows" if asked["max_error"].endswith("rows") else ""
    of = f"{number(asked['magnitude'])}, {asked['source']}"
    return f" (asked: {asked['max_error']} of {of}, or +-{number(asked['margin'])}{unit})"


@click.group(invoke_without_command=True)
@click.option("--project", help="The project whose budget it is.")
@json_option
@click.pass_context
def budget(context: click.Context, project: str | None, as_json: bool) -> None:
    """Show a project's privacy budget: allocated, reserved, spent, remaining."""
    if context.invoked_subcommand is not None:
        return
    if project is None:
        raise click.UsageError("Name the project: --project NAME.")
    found = answered(lambda client: client.get(f"/v1/projects/{project}/budget"), as_json)
    emit(found) if as_json else show_budget(found)


@click.command()
@project_option
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True,
              help="Most queries to list.")  # fmt: skip
@json_option
def history(project: str, limit: int, as_json: bool) -> None:
    """List a project's past queries, newest first, with what each has cost."""
    path = f"/v1/projects/{project}/queries?limit={limit}"
    found = answered(lambda client: client.get(path), as_json)
    if as_json:
        emit(found)
        return
    rows = [
        (_moment(one["created_at"]), one["state"], one["member"],
         one["privacy_loss"]["budget_share"] if one["privacy_loss"] else "",
         " ".join(one["sql"].split())[:60])
        for one in found["queries"]
    ]  # fmt: skip
    table("", ("=asked", "state", "by", ">cost", "question"), rows)


@click.command()
@project_option
@price_options
@json_option
def rehearse(project: str, as_json: bool, **asked: Any) -> None:
    """Ask a query of synthetic rows made from the manifest: the same shape, free."""
    body = body_of(**asked)
    path = f"/v1/projects/{project}/rehearsals"
    found = answered(lambda client: client.post(path, body), as_json)
    if as_json:
        emit(found)
        return
    show_rows(found)
    click.echo("These rows are synthetic: they say nothing of the data, and nothing was charged.")
    click.echo(f"The real answer would cost {_loss(found['privacy_loss'])}.")


def show_rows(release: dict[str, Any]) -> None:
    """An answer as a table with margins."""
    columns = release["columns"]
    names = [name for column in columns for name in _names(column)]
    lower, upper = release["intervals"]["lower"], release["intervals"]["upper"]
    rows = [_cells(columns, *each) for each in zip(release["rows"], lower, upper, strict=True)]
    if (other := release["other"]) is not None:
        values = labelled(columns, other["values"])
        rows.append(_cells(columns, values, other["lower"], other["upper"]))
    table("", names, rows)


def show_release(release: dict[str, Any]) -> None:
    """An answer as a table with margins, then what it cost and what is left."""
    show_rows(release)
    said = "Nothing new was drawn or charged" if release["replayed"] else "Cost"
    percent = f"{release['intervals']['confidence'] * 100:g} %"
    click.echo(f"Margins hold in {percent} of cases. {said}: {_loss(release['privacy_loss'])}.")
    left = release["budget"]["remaining"]
    click.echo(f"Left of the budget: {left['budget_share']}, {left['words']}.")
    for column in release["columns"]:
        if column["reason"]:
            click.echo(f"{column['name']}: {column['reason']}")
    show_effects(release["effects"], _left_out)
    if release["held_back"] == "possible":
        click.echo("Groups with few members may have been held back.")
    for line in release["warnings"]:
        click.echo(f"Mind: {line}")


def show_effects(effects: dict[str, Any] | None, told: Callable[[dict[str, Any]], str]) -> None:
    """What bounds left out, share by share, where it was asked."""
    if effects is None:
        return
    click.echo(effects["note"])
    for one in effects["shares"]:
        read = f" ({', '.join(one['columns'])})" if one["columns"] else ""
        click.echo(f"  {one['about']}{read}: {told(one)}")


def _left_out(one: dict[str, Any]) -> str:
    if one["share"] is None:
        return "cannot be told"
    if one["lower"] is None or one["upper"] is None:
        return f"{_percent(one['share'])}, without a margin"
    return f"{_percent(one['share'])} ({_percent(one['lower'])} .. {_percent(one['upper'])})"


def _expected(one: dict[str, Any]) -> str:
    return f"+-{number(one['margin'])} of all there is"


def _percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def show_budget(found: dict[str, Any]) -> None:
    """A budget as a table."""
    rows = [
        (name, found[name]["epsilon"], found[name]["delta"], found[name]["rho"],
         found[name]["budget_share"], found[name]["words"])
        for name in ("allocated", "reserved", "spent", "kept", "returned", "remaining")
        if name in ALWAYS or found.get(name, NONE)["words"] != NONE["words"]
    ]  # fmt: skip
    table("", ("", ">epsilon", ">delta", ">rho", ">share", "in words"), rows)
    if found["frozen"]:
        click.echo("The project is frozen until an administrator has looked.")
    for one in found.get("earmarks", ()):
        click.echo(one["says"])
    if found.get("ends"):
        ends = _moment(found["ends"])
        click.echo(f"It ended at {ends} UTC." if found["expired"] else f"It ends at {ends} UTC.")
    for promise in found.get("growing", {}).get("promises", ()):
        click.echo(promise["says"])


def _names(column: dict[str, Any]) -> list[str]:
    if column["role"] == "key":
        return [column["name"]]
    return [f">{column['name']}", ">margin"]


def _cells(
    columns: Sequence[dict[str, Any]], row: Sequence[Any], lower: Sequence[Any],
    upper: Sequence[Any],
) -> list[str]:  # fmt: skip
    cells: list[str] = []
    for column, value, low, high in zip(columns, row, lower, upper, strict=True):
        cells.append(number(value))
        if column["role"] != "key":
            cells.append(_margin(value, low, high))
    return cells


def _margin(value: Any, low: Any, high: Any) -> str:
    """+-w where the interval is even, else its ends; nothing where there is none.

    Of a list or a map it is told once where all of its members have the same.
    """
    if isinstance(value, list) and isinstance(low, list) and isinstance(high, list):
        margins = [_margin(*map(_member, each)) for each in zip(value, low, high, strict=True)]
        return ", ".join(margins if len(set(margins)) > 1 else margins[:1])
    if low is None or high is None or not isinstance(value, int | float):
        return ""
    down, up = value - low, high - value
    if abs(up - down) <= 0.01 * max(abs(up), abs(down), 1e-9):
        return f"+-{number(max(up, down))}"
    return f"{number(low)} .. {number(high)}"


def number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "NULL" if value is None else str(value).lower()
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(_entry, value))
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.4g}"
    return str(value)


def _entry(value: Any) -> str:
    """A member of a list, or of a map as key=value."""
    return "=".join(map(number, value)) if isinstance(value, list) else number(value)


def _member(value: Any) -> Any:
    """A member of a list itself, of a map its value."""
    return value[1] if isinstance(value, list) else value


def _moment(text: str) -> str:
    """2026-04-02T09:30:00+00:00 as people read it, in UTC."""
    return text[:19].replace("T", " ")


def _loss(loss: dict[str, Any]) -> str:
    return f"{loss['budget_share']} of the budget (epsilon {loss['epsilon']}, rho {loss['rho']})"


def answered(call: Callable[[Any], Any], as_json: bool) -> Any:
    client = connected()
    try:
        return call(client)
    except Problem as problem:
        told(problem, as_json=as_json)
    except Unreachable:
        unreachable(client)
