"""The pages of the docs that follow from the code: refusals and each of their codes, settings,
commands.

`python -m tests.house.pages` writes them; a house test fails when one differs from its code.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from tests.house import refusal_pages
from tests.house.tree import ROOT, descendants

DOCS = ROOT / "docs"
FAULTS = ("fault", "answer-lost")
FAMILIES = {"QueryRefused": "SQL", "BudgetRefused": "the ledger", "Refused": "the gateway"}

REFUSALS = """# Refusals, faults and other problems

Everything that is not an answer comes as `application/problem+json` (RFC 9457): `type`, `title`,
`status`, `detail`, `code`, and where it applies `position` (line and column in the SQL), `excerpt`
(that line, and a caret under the place), `hint`, `rewrite` (a question near to yours, as SQL that
is answered), `rule` (of [privacy.md](privacy.md)), `errors` (of a request's form: `where` and
`what`), `requested`, `remaining`, `incident`. What was requested and what remains is in rho and
delta, as the ledger counts; `GET /v1/projects/{project}/budget` has the same as epsilon and as a
share. `type` leads to the page of the code, which the links below lead to as well.

A **refusal** is decided from public facts before anything private is read; nothing is charged, and
it says why and what to do instead. A `rewrite` has been planned, so it is accepted; that reads
nothing private either. A **fault** happens after the charge; it says one constant sentence and an
incident id, whatever happened, and the charge stays.
"""

COMMANDS = """# The command line

Every command has `--json`, which prints one JSON document instead of text for people, and `--help`.
"""


def refusals_of(family: str) -> list[type[Exception]]:
    """Every refusal below a family, by the order of its code."""
    found = [getattr(importlib.import_module(place), name) for place, name in descendants(family)]
    return sorted(found, key=lambda refusal: refusal.code)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its full name, `sluis` itself first."""
    main: click.Command = importlib.import_module("gateway.cli").main
    waiting = [("sluis", main)]
    while waiting:
        name, command = waiting.pop(0)
        yield name, command
        if isinstance(command, click.Group):
            waiting[:0] = [(f"{name} {key}", one) for key, one in sorted(command.commands.items())]


def page_of_refusals() -> str:
    """docs/refusals.md."""
    parts = [REFUSALS]
    for family, words in FAMILIES.items():
        rows = "\n".join(_row(refusal) for refusal in refusals_of(family))
        parts.append(
            f"## Refusals of {words}\n\n| code | when | what to do |\n|---|---|---|\n{rows}\n"
        )
    rows = "\n".join(f"| {_linked(code)} | {told[-1]} |" for code, *told in _problems())
    parts.append(f"## Problems of HTTP itself\n\n| code | when |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def _row(refusal: type[Exception]) -> str:
    sentence = (refusal.__doc__ or "").strip().splitlines()[0]
    way_out = getattr(refusal, "way_out", None) or getattr(refusal, "hint", None) or ""
    return f"| {_linked(refusal.code)} | {sentence} | {way_out} |"  # type: ignore[attr-defined]


def _linked(code: str) -> str:
    return f"[`{code}`](refusals/{code}.md)"


def _problems() -> Iterator[tuple[str, int, str, str]]:
    """Code, status, title and meaning of what is no refusal of ours."""
    problems = importlib.import_module("gateway.http.problems")
    ours = {one.code for family in FAMILIES for one in refusals_of(family)}  # type: ignore[attr-defined]
    for status, (code, title, detail) in problems.HTTP_ROWS.items():
        if code not in ours:
            yield code, status, title, detail
    for code, sentence in problems.meanings().items():
        if code in FAULTS:
            yield code, 500, "Fault", sentence
    failed = "The server failed; its log knows more under the incident's id."
    yield "internal-error", 500, "Internal error", failed


def page_of_operations() -> str:
    """docs/operations.md, with its table of settings as the code has them."""
    settings = importlib.import_module("gateway.settings")
    rows = [f"| `{name}` | {default} | {text} |" for name, default, text in settings.documented()]
    table = "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    return re.sub(r"\| variable \| default \| meaning \|\n(\|.*\n)+", lambda _: table, page)


def page_of_commands() -> str:
    """docs/commands.md."""
    return "\n".join([COMMANDS, *(_section(name, command) for name, command in commands())])


def _section(name: str, command: click.Command) -> str:
    with click.Context(command, info_name=name) as context:
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        options = [one for one in command.params if isinstance(one, click.Option)]
        shown = [one.get_help_record(context) for one in options]
    rows = [f"| `{_cell(one[0])}` | {_cell(one[1])} |" for one in shown if one]
    table = ["| option | meaning |", "|---|---|", *rows, ""] if rows else []
    text = " ".join((command.help or "").replace("\b", "").split())
    return "\n".join([f"## `{name}`", "", f"`{usage}`", "", text, "", *table])


def _cell(text: str) -> str:
    """Text on one line, fit for a table."""
    return " ".join(text.split()).replace("|", "\\|")


def pages_of_codes() -> Iterator[tuple[str, Callable[[], str]]]:
    """docs/refusals/<code>.md, a page for each code."""
    for family in FAMILIES:
        for kind in refusals_of(family):
            yield f"refusals/{kind.code}.md", partial(refusal_pages.page, kind, _headings())  # type: ignore[attr-defined]
    for code, *told in _problems():
        yield f"refusals/{code}.md", partial(refusal_pages.plain, code, *told)


def _headings() -> dict[str, str]:
    """The rules of privacy.md by their numbers."""
    text = (DOCS / "privacy.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^### (P\d+)\. (.+)$", text, re.MULTILINE))


PAGES: dict[str, Callable[[], str]] = {
    "refusals.md": page_of_refusals,
    "operations.md": page_of_operations,
    "commands.md": page_of_commands,
    **dict(pages_of_codes()),
}


def write(folder: Path = DOCS) -> None:
    """Bring the pages in line with the code; a page whose code is gone goes too."""
    for old in (folder / "refusals").glob("*.md"):
        if f"refusals/{old.name}" not in PAGES:
            old.unlink()
    (folder / "refusals").mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
