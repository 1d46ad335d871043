"""Every refusal, setting and command stands in the docs, and the docs name nothing that is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gateway import settings
from queries.language.limits import LIMITS
from tests.house.pages import DOCS, PAGES, commands
from tests.house.tree import ROOT, listed, sources

VARIABLE = re.compile(r"\bSLUIS_[A-Z][A-Z_]*[A-Z]\b")
CLIENT = {"SLUIS_URL", "SLUIS_KEY"}


def _variables() -> set[str]:
    return {variable for variable, _, _ in settings.documented()} | CLIENT


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_follows_from_the_code_is_up_to_date(page: str) -> None:
    """`python -m tests.house.pages` writes it anew."""
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page]()


def test_every_page_of_a_code_follows_from_the_code() -> None:
    pages = {f"refusals/{path.name}" for path in (DOCS / "refusals").glob("*.md")}
    assert pages == {page for page in PAGES if page.startswith("refusals/")}


def test_every_setting_has_a_row() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert not [name for name, _, _ in settings.documented() if f"| `{name}` |" not in text]


def test_every_command_says_what_it_does_and_takes_json() -> None:
    found = dict(commands())
    assert not [name for name, command in found.items() if not (command.help or "").strip()]
    leaves = {name for name in found if not any(other.startswith(f"{name} ") for other in found)}
    plain = {"sluis serve"}  # prints nothing but its log
    assert not [
        name
        for name in sorted(leaves - plain)
        if "--json" not in {flag for param in found[name].params for flag in param.opts}
    ]


def test_no_variable_is_read_that_is_not_documented() -> None:
    used = {found for path in sources() for found in VARIABLE.findall(_without_prose(path))}
    assert used <= _variables()


def _without_prose(path: Path) -> str:
    """The code of a file: comments and docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return ast.unparse(tree)


def test_the_docs_name_only_variables_that_exist() -> None:
    pages = [one for one in listed() if one.endswith(".md")]
    named = {v for page in pages for v in VARIABLE.findall((ROOT / page).read_text("utf-8"))}
    assert CLIENT <= named <= _variables()


def test_the_docs_name_only_commands_that_exist() -> None:
    pages = [one for one in listed() if one.endswith(".md")]
    text = "\n".join((ROOT / page).read_text("utf-8") for page in pages)
    found = dict(commands())
    groups = {name for name in found if any(other.startswith(f"{name} ") for other in found)}
    named = set(re.findall(r"\bsluis [a-z]+(?: [a-z]+)?\b", " ".join(_code(text))))
    unknown = {
        name
        for name in named
        if name not in found and name.rsplit(" ", 1)[0] not in found.keys() - groups
    }
    assert not unknown


def _code(text: str) -> list[str]:
    """What stands between backticks, one or three."""
    return re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL)


def test_the_limits_on_sql_are_those_in_force() -> None:
    text = (DOCS / "analyst.md").read_text(encoding="utf-8")
    limits = {name: getattr(LIMITS, name) for name in LIMITS.__slots__}
    assert not {name: value for name, value in limits.items() if f"{value:,}" not in text}
