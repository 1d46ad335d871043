"""A growing dataset: a block is charged for what reads it, and no way leads to a fresh budget."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.charge import Claim, StageClaim
from budgets.loss import PrivacyLoss
from budgets.refusals import CeilingDiffers
from gateway.growing import shown
from gateway.refusals import Conflict
from queries.catalog.reading import parse
from queries.deliver.faults import RegistrationFailed
from tests.gateway.growing import BLOCKS, CEILING, Growing, manifest
from tests.gateway.test_cli import sluis

BLOCK_CEILING = "half-year, ceiling: {epsilon: 4, delta: 5e-8}"


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    """The first half-year, and something charged to it."""
    made = Growing(tmp_path)
    made.deliver(BLOCKS[0])
    made.populate()
    charge(made)
    yield made
    made.storage.close()


def charge(growing: Growing) -> None:
    query = growing.ledger.accept("p", "analyst", None, "d" * 64, b"{}")
    stage = StageClaim(query.id, PrivacyLoss(10**9), (1.0,), "discrete-gaussian")
    soon = datetime.now(UTC) + timedelta(seconds=60)
    growing.ledger.reserve(Claim(query.id, "p", (stage,), soon, blocks=(BLOCKS[0],)))


def test_each_block_has_an_account_of_its_own(growing: Growing) -> None:
    growing.deliver(BLOCKS[2])
    growing.deliver(BLOCKS[1])
    assert growing.spent() == {BLOCKS[0]: 10**9, BLOCKS[1]: 0, BLOCKS[2]: 0}
    assert growing.registry.blocks("breaches") == list(BLOCKS[:3])
    assert growing.registry.active("breaches").block == BLOCKS[2], "the newest, not the latest"
    assert growing.registry.active("breaches", BLOCKS[0]).number == 1
    opened = [e.note for e, _ in growing.ledger.entries("breaches") if e.account[0] == "block"]
    assert '"before":"2024-07-01"' in opened[0]


def test_a_corrected_delivery_stays_in_its_block(growing: Growing) -> None:
    """Registered again, or deleted and registered again: the account is the one that stands."""
    first = growing.registry.active("breaches", BLOCKS[0])
    again = growing.deliver(BLOCKS[0])
    assert growing.registry.active("breaches", BLOCKS[0]).id == again != first.id
    shutil.rmtree(growing.home.deliveries)
    growing.deliver(BLOCKS[0])
    assert growing.spent() == {BLOCKS[0]: 10**9}
    assert growing.ledger.ceiling("breaches").reserved.rho == 10**9


def other_name(growing: Growing) -> None:
    growing.deliver(BLOCKS[0], ("dataset: breaches", "dataset: breaches-2"))


def other_name_and_block(growing: Growing) -> None:
    growing.deliver(BLOCKS[1], ("dataset: breaches", "dataset: breaches-2"))


def overlapping_interval(growing: Growing) -> None:
    growing.deliver("2024-01", ("every: half-year", "every: month"))


def longer_interval(growing: Growing) -> None:
    growing.deliver("2024", ("every: half-year", "every: year"))


def other_zone(growing: Growing) -> None:
    growing.deliver(BLOCKS[1], ("Europe/Amsterdam", "Pacific/Auckland"))


def other_table(growing: Growing) -> None:
    growing.deliver(BLOCKS[1], ("  notifications:\n", "  notices:\n"))


def other_time(growing: Growing) -> None:
    column = "      received_on: {type: date"
    growing.deliver(
        BLOCKS[1],
        ("block_column: received_on", "block_column: sent_on"),
        (column, column.replace("received_on", "sent_on")),
    )


def no_blocks(growing: Growing) -> None:
    growing.deliver(
        None,
        (f"blocks: {{every: {BLOCK_CEILING}}}\n", ""),
        ("    block_column: received_on\n", ""),
        ("    lasting: true\n", ""),
    )


@pytest.mark.parametrize(
    "way",
    [
        other_name, other_name_and_block, overlapping_interval, longer_interval, other_zone,
        other_table, other_time, no_blocks,
    ],
)  # fmt: skip
def test_no_way_leads_to_a_fresh_budget(growing: Growing, way: object) -> None:
    assert callable(way)
    with pytest.raises(Conflict):
        way(growing)
    assert growing.spent() == {BLOCKS[0]: 10**9}
    assert growing.registry.datasets() == ["breaches"]


def test_a_block_keeps_its_ceiling(growing: Growing) -> None:
    larger = (BLOCK_CEILING, BLOCK_CEILING.replace("4", "8"))
    with pytest.raises(CeilingDiffers):
        growing.deliver(BLOCKS[0], larger)
    with pytest.raises(CeilingDiffers):
        growing.deliver(BLOCKS[1], (CEILING, CEILING.replace("8", "16")))
    assert growing.spent() == {BLOCKS[0]: 10**9}


@pytest.mark.parametrize("block", [None, "first", "2024-H1b", "2024-H3", "2024"])
def test_a_block_has_the_name_of_its_interval(growing: Growing, block: str | None) -> None:
    with pytest.raises(RegistrationFailed):
        growing.deliver(block)
    assert growing.spent() == {BLOCKS[0]: 10**9}


def test_a_dataset_cannot_become_one_of_blocks(tmp_path: Path) -> None:
    made = Growing(tmp_path)
    no_blocks(made)
    with pytest.raises(Conflict):
        made.deliver(BLOCKS[0])
    assert made.ledger.blocks("breaches") == ()
    made.storage.close()


def test_promises_are_those_of_the_ceilings_that_stand(growing: Growing) -> None:
    here = parse(manifest(growing.folder).read_bytes()).manifest
    growing.deliver(BLOCKS[1])
    page = shown(here, growing.ledger)["growing"]
    assert page["blocks"] == list(BLOCKS[:2])
    assert page["lasting"] == ["organisations"]
    assert [promise["blocks"] for promise in page["promises"]] == [1, 2, None]
    assert [promise["cases"] for promise in page["promises"]] == [22, 34, 50]
    growing.deliver(BLOCKS[2])
    growing.deliver(BLOCKS[3], (BLOCK_CEILING, BLOCK_CEILING.replace("4", "2")))
    told = [promise["cases"] for promise in shown(here, growing.ledger)["growing"]["promises"]]
    assert told == [22, 47, 50], "the widest block, the sum of all, the whole"
    growing.ledger.raise_ceiling("breaches", Fraction(16), Fraction(1, 10**7), "ada", "told them")
    told = [promise["cases"] for promise in shown(here, growing.ledger)["growing"]["promises"]]
    assert told == [22, 47, 97], "what the manifest says is no promise any more"


def test_a_person_may_hold_several_units(growing: Growing) -> None:
    here = parse(manifest(growing.folder).read_bytes()).manifest
    several = replace(here, unit=replace(here.unit, most_per_person=2))
    one, two = (
        shown(m, growing.ledger)["growing"]["promises"][0]["cases"] for m in (here, several)
    )
    assert one < two


@pytest.mark.slow
def test_a_block_is_raised_from_the_command_line_and_the_page_follows(growing: Growing) -> None:
    """Its own ceiling alone; a correction of it needs the ceiling that stands, as any delivery."""
    here = parse(manifest(growing.folder).read_bytes()).manifest
    growing.deliver(BLOCKS[1])
    home = {"SLUIS_HOME": str(growing.home.root)}
    words = ("dataset", "raise", "breaches", "--block", BLOCKS[0], "--reason", "agreed")
    told = sluis(*words, "--epsilon", "6", "--json", **home)
    assert told.returncode == 0, told.stderr
    shown_blocks = json.loads(told.stdout)["blocks"]
    assert [(one["block"], one["epsilon"]) for one in shown_blocks] == [
        (BLOCKS[0], "6"), (BLOCKS[1], "4"),
    ]  # fmt: skip
    cases = [one["cases"] for one in shown(here, growing.ledger)["growing"]["promises"]]
    assert cases[0] > 22
    assert cases[-1] == 50
    assert growing.spent()[BLOCKS[0]] == 10**9
    wide = sluis(*words, "--epsilon", "9", **home)
    assert wide.returncode != 0
    assert "is lower than that" in wide.stderr
    with pytest.raises(CeilingDiffers):
        growing.deliver(BLOCKS[0])
    growing.deliver(BLOCKS[0], (BLOCK_CEILING, BLOCK_CEILING.replace("4", "6")))
    assert growing.spent()[BLOCKS[0]] == 10**9
