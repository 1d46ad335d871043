"""Every refusal explains itself: a code of its own, a docstring, a status, an example."""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache

import pytest

from tests.house.pages import FAMILIES, refusals_of
from tests.house.tree import ROOT, descendants, sources, syntax, where

CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
EXAMPLES = ROOT / "tests" / "fixtures" / "refusals"


ALL = [refusal for family in FAMILIES for refusal in refusals_of(family)]
OF_QUERIES = refusals_of("QueryRefused")


def name_of(refusal: type[Exception]) -> str:
    """The label of a test."""
    return refusal.__name__


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_known(family: str) -> None:
    assert descendants(family), f"{family} has no refusal below it"


@pytest.mark.parametrize("refusal", ALL, ids=name_of)
def test_a_refusal_has_a_code_and_says_when_it_is_raised(refusal: type[Exception]) -> None:
    assert "code" in vars(refusal), "the code is inherited"
    assert CODE.fullmatch(refusal.code), refusal.code  # type: ignore[attr-defined]
    assert (vars(refusal).get("__doc__") or "").strip(), "no docstring of its own"


@pytest.mark.parametrize("refusal", ALL, ids=name_of)
def test_a_refusal_has_a_status(refusal: type[Exception]) -> None:
    """In the gateway's one table, by itself or with its family."""
    problems = importlib.import_module("gateway.http.problems")
    row = problems.row_of(refusal)
    assert row is not None
    assert 400 <= row.status < 600


def test_codes_are_unique() -> None:
    codes = Counter(refusal.code for refusal in ALL)  # type: ignore[attr-defined]
    assert not {code for code, times in codes.items() if times > 1}


@cache
def without_hint() -> Mapping[str, list[str]]:
    """The calls in the tree that give no hint, by the name of what is called."""
    found = defaultdict(list)
    for path in sources():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and "hint" not in {each.arg for each in node.keywords}:
                found[ast.unparse(node.func).rpartition(".")[2]].append(where(path, node))
    return found


@pytest.mark.parametrize("refusal", OF_QUERIES, ids=name_of)
def test_a_refusal_of_sql_shows_a_way_out(refusal: type[Exception]) -> None:
    """One of its class, or one that is given wherever it is raised."""
    bare = without_hint().get(refusal.__name__)
    assert refusal.way_out or not bare, bare  # type: ignore[attr-defined]


@pytest.mark.parametrize("refusal", OF_QUERIES, ids=name_of)
def test_a_refusal_of_sql_has_an_example(refusal: type[Exception]) -> None:
    example = EXAMPLES / f"{refusal.code}.sql"  # type: ignore[attr-defined]
    assert example.is_file(), f"{example.relative_to(ROOT)} is missing"
    assert example.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("refusal", OF_QUERIES, ids=name_of)
def test_a_rule_that_a_refusal_cites_is_one_that_is_written_down(refusal: type[Exception]) -> None:
    cited = refusal.rule  # type: ignore[attr-defined]
    assert re.fullmatch(r"|P([1-9]|1[0-9]|2[0-5])|promise [1-8]", cited), cited


def test_every_example_belongs_to_a_refusal() -> None:
    codes = {refusal.code for refusal in OF_QUERIES}  # type: ignore[attr-defined]
    assert {path.stem for path in EXAMPLES.glob("*.sql")} <= codes
