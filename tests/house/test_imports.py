"""What the import contract in pyproject.toml cannot say: who alone may import what."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib

import pytest

from tests.house.tree import PACKAGES, ROOT, imports, modules, owner, reached, within

ALONE = {
    "opendp": ("queries.enclave",),
    "duckdb": (
        "queries.enclave",
        "queries.deliver",
        "queries.release",
        "queries.workers.sealed",  # how both engines are closed off
        "queries.catalog.names",  # which names DuckDB can parse
        "gateway.demo",  # writes source files
    ),
    "sqlglot": ("queries",),
    "flask": ("gateway",),
    "flask_smorest": ("gateway.http",),
    "marshmallow": ("gateway", "queries.catalog"),
    "sqlalchemy": ("budgets",),
    "dp_accounting": ("budgets.tight",),
    "alembic": ("budgets.storage",),
    "click": ("gateway.cli",),
    "environs": ("gateway.settings",),
    "gunicorn": ("gateway.serve",),
    "prometheus_client": ("gateway",),
    "structlog": ("gateway",),
}
PURE_BUDGETS = (
    *("amounts", "loss", "conversion", "account", "charge", "admission", "mechanisms"),
    *("tight", "tradeoff"),
)
INPUT_OUTPUT = (
    *("os", "pathlib", "io", "shutil", "tempfile", "socket", "subprocess", "threading"),
    *("multiprocessing", "random", "secrets", "time", "logging", "structlog", "sqlalchemy"),
    *("sqlite3", "duckdb", "opendp", "numpy", "flask", "yaml", "environs", "click"),
)


@pytest.mark.parametrize("library", ALONE)
def test_a_library_stays_with_its_owner(library: str) -> None:
    strangers = [
        name
        for name in modules()
        if any(within(target, library) for target in imports(name))
        and not any(within(name, home) for home in ALONE[library])
    ]
    assert not strangers, f"{library} is imported outside {ALONE[library]}"


def test_queries_knows_only_the_amounts_of_budgets() -> None:
    strangers = [
        f"{name} imports {target}"
        for name in modules()
        if within(name, "queries")
        for target in imports(name)
        if within(target, "budgets") and not within(target, "budgets.amounts")
    ]
    assert not strangers


def test_amounts_stand_on_nothing_of_ours() -> None:
    assert reached("budgets.amounts") == {"budgets", "budgets.amounts"}


@pytest.mark.parametrize("part", PURE_BUDGETS)
def test_the_pure_part_of_budgets_does_no_input_or_output(part: str) -> None:
    touched = [
        f"{name} imports {target}"
        for name in reached(f"budgets.{part}")
        for target in imports(name)
        if any(within(target, library) for library in INPUT_OUTPUT)
    ]
    assert not touched


def test_the_enclave_is_started_and_never_imported() -> None:
    """Nothing that the gateway's process loads opens the enclave's engine or draws its noise."""
    inside = {
        name
        for name in modules()
        if (within(name, "queries.enclave") or within(name, "queries.workers"))
        and any(within(target, lib) for target in imports(name) for lib in ("opendp", "duckdb"))
    }
    loaded = set().union(*(reached(name) for name in modules() if within(name, "gateway")))
    assert not inside & loaded


def test_exact_answers_are_known_to_the_enclave_alone() -> None:
    strangers = [
        name
        for name in modules()
        if not within(name, "queries.enclave")
        and any(target.endswith(".ExactAnswer") for target in imports(name))
    ]
    assert not strangers


def test_the_prelude_of_opendp_is_not_imported() -> None:
    """It takes seconds and pulls in what the enclave must not hold."""
    heavy = ("opendp.prelude", "opendp.extras", "opendp.context")
    assert not [
        name
        for name in modules()
        if any(within(target, library) for target in imports(name) for library in heavy)
    ]


def test_every_library_in_use_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    asked = [*project["dependencies"], *extras]
    declared = {_normal(re.split(r"[\[<>=~!; ]", one)[0]) for one in asked}
    providers = importlib.metadata.packages_distributions()
    used = {
        target.partition(".")[0]
        for name in modules()
        for target in imports(name)
        if owner(target) is None
    }
    foreign = used - set(sys.stdlib_module_names) - set(PACKAGES)
    missing = [
        library
        for library in sorted(foreign)
        if not {_normal(one) for one in providers.get(library, [library])} & declared
    ]
    assert not missing, "imported, but not among the dependencies of pyproject.toml"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
