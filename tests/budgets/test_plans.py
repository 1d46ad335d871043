"""How PostgreSQL finds what a charge asks for, on a ledger that it knows nothing about.

A session plans a statement once and keeps the plan. If it was made while the tables were empty and
nothing had been counted, it has to be as good when there are a million charges.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text

from budgets.ledger import Ledger
from budgets.storage import Storage
from tests.budgets.books import NOON, POLICY, answered, asked, claim, ready, reserved, stage
from tests.postgres import Server

FIRST_OF_MANY = {"account_named_once": {"kind", "owner"}}
"""By how much of an index it is asked whether there is a row at all."""

FEW = ("account_", "project_")
"""Indexes of tables that are not empty when they are counted, and so small that all are alike."""


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    with server.databases("blank") as made:
        yield made()


@pytest.mark.parametrize("counted", [False, True], ids=["never analyzed", "analyzed while empty"])
def test_what_a_charge_asks_for_is_found_by_whole_keys(
    counted: bool, address: str, server: Server
) -> None:
    ready(address)
    if counted:
        server.do("VACUUM ANALYZE", address.partition("@/")[2].partition("?")[0])
    storage = Storage.open(address)
    everything_once(Ledger(storage, POLICY, clock=lambda: NOON))
    with storage.read() as tx:
        looks = [look for plan in plans(tx) for look in looked(plan)]
        assert {"query", "charge", "stage", "account", "entry", "project"} <= {
            look["Relation Name"] for look in looks if "Relation Name" in look
        }
        for look in looks:
            index, asked_of = look.get("Index Name"), look.get("Index Cond", "")
            assert index, f"{look['Relation Name']} is read as a whole"
            if counted and index.startswith(FEW):
                continue
            whole = FIRST_OF_MANY.get(index, columns(tx, index))
            assert whole <= set(re.findall(r"\w+", asked_of)), f"{index} is asked by {asked_of}"


def everything_once(ledger: Ledger) -> None:
    """Every step that a charge may take, with and without what it may name."""
    answered(ledger)
    ledger.fault(reserved(ledger), "incident")
    ledger.void(reserved(ledger))
    known = asked(ledger, "key")
    assert asked(ledger, "key").id == known.id
    ledger.reserve(claim(known, stage("of one block"), analyst="anna", blocks=("2026-H1",)))
    assert ledger.query(known.project, known.id).pending


def plans(tx: Connection) -> Iterator[Mapping[str, Any]]:
    """The plans that this session keeps for what it has prepared."""
    tx.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
    prepared = "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements"
    for name, values in tx.execute(text(prepared)).all():
        given = f"({', '.join(['NULL'] * values)})" if values else ""
        told = tx.execute(text(f"EXPLAIN (FORMAT JSON) EXECUTE {name} {given}")).scalar_one()
        yield (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]


def looked(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The parts of a plan that read a table or an index."""
    for below in plan.get("Plans", ()):
        yield from looked(below)
    if plan["Node Type"].endswith("Scan") and plan["Node Type"] not in (
        "Bitmap Heap Scan", "Values Scan"
    ):  # fmt: skip
        yield plan


def columns(tx: Connection, index: str) -> set[str]:
    """The columns of an index."""
    named = "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:index AS regclass)"
    return set(tx.execute(text(named), {"index": index}).scalars())
