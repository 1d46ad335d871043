"""Every setting, command and option stands in the docs, and the docs name nothing that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import click
import pytest

from gateway import settings
from gateway.cli import main
from tests.house.tree import ROOT, listed, sources, syntax

VARIABLE = re.compile(r"\bSLUIS_[A-Z][A-Z_]*[A-Z]\b")
CLIENT = {"SLUIS_URL", "SLUIS_KEY"}
BUILTIN = {"--help", "--version"}


@cache
def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its full name, `sluis` itself included."""
    waiting: list[tuple[str, click.Command]] = [("sluis", main)]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        if isinstance(command, click.Group):
            waiting.extend((f"{name} {key}", one) for key, one in command.commands.items())


COMMANDS = dict(sorted(_commands()))


@pytest.mark.parametrize("row", settings.documented(), ids=lambda row: row[0])
def test_a_setting_is_in_the_table_with_its_default_and_meaning(row: tuple[str, str, str]) -> None:
    variable, default, meaning = row
    assert f"| `{variable}` | {default} | {meaning} |" in _page("operations.md")


def test_no_variable_is_read_that_is_not_documented() -> None:
    known = {variable for variable, _, _ in settings.documented()} | CLIENT
    used = {
        found
        for path in sources()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for found in VARIABLE.findall(node.value)
    }
    assert used <= known


def test_the_docs_name_only_variables_that_exist() -> None:
    known = {variable for variable, _, _ in settings.documented()} | CLIENT
    pages = [one for one in listed() if one.endswith(".md")]
    named = {v for page in pages for v in VARIABLE.findall((ROOT / page).read_text("utf-8"))}
    assert named <= known
    assert named >= CLIENT


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_options_are_documented(name: str) -> None:
    command = COMMANDS[name]
    assert (command.help or "").strip(), "no help text"
    section = _section(name)
    options = {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--")
    }
    assert not [one for one in sorted(options - BUILTIN) if f"`{one}" not in section]


def test_the_docs_name_only_commands_that_exist() -> None:
    headings = re.findall(r"^##+ `(sluis[a-z -]*)`", _page("commands.md"), re.MULTILINE)
    assert set(headings) == set(COMMANDS)


def _section(name: str) -> str:
    """The part of the page on commands that stands under a command's heading."""
    parts = re.split(r"^##+ `(sluis[a-z -]*)`.*$", _page("commands.md"), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert name in sections, f"docs/commands.md has no heading for `{name}`"
    return sections[name]
