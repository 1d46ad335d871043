"""The page of each code: when it is told, what the gateway really says, and what is answered."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache

from queries.language.refusals import QueryRefused
from queries.release.refusals import QueryTooExpensive
from tests.plan.benches import bench
from tests.plan.cases import Case, cases

RULES = "../privacy.md"
BACK = "[All refusals, faults and other problems](../refusals.md)\n"


def page(kind: type[Exception], headings: Mapping[str, str]) -> str:
    """docs/refusals/<code>.md of one class; `headings` are those of the rules by number."""
    code: str = kind.code  # type: ignore[attr-defined]
    row = importlib.import_module("gateway.http.problems").row_of(kind)
    way_out = getattr(kind, "way_out", None) or getattr(kind, "hint", None)
    parts = [f"# `{code}`", _flowing(kind.__doc__ or ""), f"**Status** {row.status}, {row.title}."]
    if rule := getattr(kind, "rule", ""):
        parts.append(f"**Why** {_cited(rule, headings)}")
    if way_out:
        parts.append(f"**What to do** {way_out}")
    if issubclass(kind, QueryRefused):
        parts.extend(_example(code))
    return "\n\n".join([*parts, BACK])


def plain(code: str, status: int, title: str, detail: str) -> str:
    """The page of a problem of HTTP itself."""
    return "\n\n".join([f"# `{code}`", detail, f"**Status** {status}, {title}.", BACK])


def _cited(rule: str, headings: Mapping[str, str]) -> str:
    if rule.startswith("promise"):
        return f"[{rule}]({RULES}#the-promises)"
    return f"[{rule}. {headings[rule]}]({RULES}#{_anchor(f'{rule}. {headings[rule]}')})"


def _anchor(heading: str) -> str:
    kept = "".join(sign for sign in heading.lower() if sign.isalnum() or sign in "-_ ")
    return kept.strip().replace(" ", "-")


def _flowing(text: str) -> str:
    """A docstring as one paragraph for each of its own."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _example(code: str) -> list[str]:
    """A statement, what is said to it, and what is offered instead."""
    case = _example_of(code)
    sql = case.sql.rpartition(";\n")[0] if case.marks.get("pair") else case.sql
    found = _told(case, sql)
    said = "\n".join(filter(None, [found.message, found.excerpt]))
    asked = f" of the dataset `{case.dataset}`"
    parts = ["## An example", f"Asked{asked}:", _block(sql, "sql"), "Told:", _block(said, "text")]
    if found.hint and found.hint != type(found).way_out:
        parts.append(f"**Hint** {found.hint}")
    if found.rewrite:
        parts += ["Offered instead, and answered:", _block(found.rewrite, "sql")]
    return parts


def _told(case: Case, sql: str) -> QueryRefused:
    if case.code == QueryTooExpensive.code:
        return QueryTooExpensive()
    try:
        bench(case.dataset).plan(sql, case.options, case.price)
    except QueryRefused as refused:
        return refused
    raise ValueError(f"the example of {case.code} is answered")


def _block(text: str, language: str) -> str:
    return f"```{language}\n{_shortened(text)}\n```"


def _shortened(text: str) -> str:
    return text if len(text) <= 600 else f"{text[:500]} ..."


def _example_of(code: str) -> Case:
    """The first statement with a rewrite, else the first that is refused."""
    rewritten, refused = _first("rewrites"), _first("refusals")
    if code in rewritten:
        found = rewritten[code]
        return Case(found.code, found.title, found.sql, {**found.marks, "pair": "yes"})
    return refused[code]


@cache
def _first(folder: str) -> dict[str, Case]:
    found: dict[str, Case] = {}
    for case in cases(folder):
        found.setdefault(case.code, case)
    return found
