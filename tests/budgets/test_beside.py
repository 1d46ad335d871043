"""Books that hold much else: what is done with one charge is done with nothing beside it.

Two datasets have blocks of the same names, projects keep shares and limit analysts under the same
names, and each of them asked for the same stages, with every outcome.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text

from budgets import charging, drawn
from budgets.account import grant
from budgets.admission import Policy
from budgets.chain import canonical
from budgets.charge import Charge, ChargeState, Claim, Ground, StageClaim
from budgets.earmarking import Part
from budgets.ledger import Ledger
from budgets.loss import PrivacyLoss
from budgets.mechanisms import Drawn, written
from budgets.refusals import DatasetFrozen, InFlight, ProjectFrozen, UnknownBlock
from budgets.storage import Storage, schema
from tests.budgets import invariants
from tests.budgets.books import BLOCKS, DATASET, NOON, STEP, asked, blank, opened
from tests.budgets.places import Place, looking

FAR, WHOLE = "census", "register"
SAME = BLOCKS[0]
"""What a block, a project, an analyst's limit and a share that is kept are all called."""
PROJECTS = {"areas": DATASET, SAME: DATASET, "people": FAR, "counts": WHOLE}
DELIVERIES = ("new", "old", "older")
NAMES, RUNNING = ("a", "b"), ("c", "d")
LONG, HOUR = NOON + timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def ledger(place: Place) -> Ledger:
    ledger = opened(blank(place), Policy(faults=9))
    for dataset in (FAR, DATASET, WHOLE):
        ledger.open_dataset(dataset, Fraction(80), Fraction(1, 10**7))
        for block in _blocks(dataset):
            ledger.open_block(dataset, block, grant(Fraction(80), Fraction(1, 10**7)))
    with looking(place) as tx:
        for number, (dataset, name) in enumerate(product((FAR, DATASET, WHOLE), DELIVERIES), 1):
            row = {"id": f"{dataset} {name}", "number": number, "dataset": dataset, "block": name,
                   "directory": name, "manifest_hash": "h" * 64, "registered_at": NOON,
                   "active": True}  # fmt: skip
            tx.execute(schema.delivery.insert().values(**row))
    for project, dataset in PROJECTS.items():
        ledger.open_project(project, dataset)
        ledger.allocate(project, Fraction(4), Fraction(1, 10**8), "ada", "first")
        for name in ("anna", SAME):
            ledger.limit(project, name, Fraction(1), "ada", "each")
            ledger.earmark(project, name, Part(share=Fraction(1, 10)), "ada", "later")
    return ledger


def _blocks(dataset: str) -> tuple[str, ...]:
    return () if dataset == WHOLE else BLOCKS


def drawing(digest: str, steps: int = 1) -> StageClaim:
    """A stage of one draw, of so many steps of rho."""
    loss, scale = PrivacyLoss(steps * STEP, delta=steps), 10.0 + steps
    draws = (Drawn("discrete-gaussian", 1, steps, scale, loss.rho),)
    return StageClaim(digest, loss, (scale,), "discrete-gaussian", draws)


def claimed(
    ledger: Ledger,
    project: str,
    *names: str,
    analyst: str | None = None,
    until: datetime = LONG,
    **other: Any,
) -> Claim:
    """A claim of a project on stages of these names, in all blocks of its dataset."""
    query = asked(ledger, project=project)
    stages = tuple(drawing(name, 2 - place % 2) for place, name in enumerate(names))
    dataset = PROJECTS[project]
    read = {"delivery": f"{dataset} new", "others": (f"{dataset} old",)}
    given = {"blocks": _blocks(dataset), **read, **other}
    return Claim(query.id, project, stages, until, analyst, **given)


def ended(ledger: Ledger, charge: Charge, state: ChargeState) -> Charge:
    """The same charge, brought to an end; what it releases is its query's own."""
    if state is ChargeState.VOID:
        ledger.void(charge)
        return charge
    ledger.started(charge)
    if state is ChargeState.SETTLED:
        ledger.settle(charge, charge.query.encode(), _tables(charge))
    elif state is ChargeState.FAULTED:
        ledger.fault(charge, "incident")
    elif state is ChargeState.LOST:
        assert ledger.recover(NOON + timedelta(seconds=1)) == (charge.query,)
    return charge


def _tables(charge: Charge) -> dict[str, bytes]:
    return {one: f"{one} of {charge.query}".encode() for one in charge.stages}


ENDS = (ChargeState.VOID, ChargeState.FAULTED, ChargeState.LOST, ChargeState.SETTLED)


def _reserved(ledger: Ledger, state: ChargeState, project: str, *names: str) -> Charge:
    until = NOON if state is ChargeState.LOST else LONG
    return ledger.reserve(claimed(ledger, project, *names, until=until))


def crowded(ledger: Ledger) -> dict[str, Charge]:
    """Charges of every project for the same stages, in all states; those that are settled.

    The first project has settled none yet.
    """
    settled = {}
    for project in PROJECTS:
        ended(ledger, _reserved(ledger, ChargeState.VOID, project, *NAMES), ChargeState.VOID)
        ended(ledger, _reserved(ledger, ChargeState.FAULTED, project, *NAMES), ChargeState.FAULTED)
        if project != "areas":
            lost = _reserved(ledger, ChargeState.LOST, project, *NAMES)
            ended(ledger, lost, ChargeState.LOST)
            kept = _reserved(ledger, ChargeState.SETTLED, project, *NAMES)
            settled[project] = ended(ledger, kept, ChargeState.SETTLED)
        _reserved(ledger, ChargeState.RESERVED, project, *RUNNING)
    return settled


def beside(place: Place, *charges: Charge) -> dict[str, list[tuple[Any, ...]]]:
    """All that the books hold of other charges than these."""
    ids = ",".join(str(one.id) for one in charges) or "0"
    own = f"SELECT query FROM charge WHERE id IN ({ids})"
    wanted = {
        "charge": f"id NOT IN ({ids})",
        "stage": f"charge NOT IN ({ids})",
        "charge_reads": f"charge NOT IN ({ids})",
        "entry": f"charge NOT IN ({ids})",
        "query": f"number NOT IN ({own})",
        "release": f"query NOT IN ({own})",
        "account": "owner IN ('people', 'census', 'counts', 'register')",
    }
    with looking(place) as tx:
        return {
            table: sorted(
                map(tuple, tx.execute(text(f"SELECT * FROM {table} WHERE {of}"))), key=repr
            )
            for table, of in wanted.items()
        }


@pytest.mark.parametrize("state", ENDS)
def test_a_charge_ends_by_itself(state: ChargeState, ledger: Ledger, place: Place) -> None:
    crowded(ledger)
    charge = _reserved(ledger, state, "areas", *NAMES)
    assert charge.stages == NAMES
    before = beside(place, charge)
    ended(ledger, charge, state)
    assert beside(place, charge) == before
    invariants.hold(place)


def test_a_charge_is_run_once_more_by_itself(ledger: Ledger, place: Place) -> None:
    """On its own ground, each stage as it is planned now, until its deadline as it is now."""
    crowded(ledger)
    stages = (drawing("a", 3), drawing("b", 1))
    read: dict[str, Any] = {"delivery": f"{DATASET} old", "others": (f"{DATASET} older",)}
    wanted = replace(claimed(ledger, "areas", terms="now", **read), stages=stages)
    ledger.void(ledger.reserve(wanted))
    charge = ended(ledger, ledger.reserve(wanted), ChargeState.FAULTED)
    before = beside(place, charge)
    ground = ledger.redeem("areas", wanted.query, "ada", "a disk was full")
    assert ground == Ground(wanted.query, f"{DATASET} old", "now", read["others"])
    stages = (drawing("a", 1), drawing("b", 3))
    again = ledger.reserve(replace(wanted, stages=stages, deadline=LONG + HOUR))
    assert (again.id, again.stages, again.loss) == (charge.id, NAMES, charge.loss)
    invariants.hold(place)
    assert _stages(place, charge) == {
        (one.digest, canonical(list(one.scales)), one.loss.delta, written(one.drawn), "reserved")
        for one in stages
    }
    *_, (resumed, _) = ledger.entries(DATASET)
    wanted_digest = drawn.digest((one.digest, written(one.drawn)) for one in stages)
    assert (resumed.event, drawn.told(resumed.note)) == ("resume", wanted_digest)
    running = ledger.recover(LONG + HOUR)
    assert again.query not in running
    assert len(running) == len(PROJECTS)
    ended(ledger, again, ChargeState.SETTLED)
    others = [one for one in before["stage"] if one in beside(place, charge)["stage"]]
    assert len(others) == len(before["stage"]) - len(running) * len(RUNNING)
    invariants.hold(place)


def _stages(place: Place, charge: Charge) -> set[tuple[Any, ...]]:
    wanted = "SELECT digest, scales, delta, mechanisms, state FROM stage WHERE charge = :id"
    with looking(place) as tx:
        return {tuple(row) for row in tx.execute(text(wanted), {"id": charge.id})}


def test_what_is_lost_is_lost_where_it_belongs(ledger: Ledger, place: Place) -> None:
    lost = [_reserved(ledger, ChargeState.LOST, project, *NAMES) for project in PROJECTS]
    assert ledger.recover(NOON + HOUR) == tuple(one.query for one in lost)
    for charge, (project, dataset) in zip(lost, PROJECTS.items(), strict=True):
        with looking(place) as tx:
            told = "SELECT dataset, event FROM entry WHERE charge = :id ORDER BY number"
            rows = [tuple(row) for row in tx.execute(text(told), {"id": charge.id})]
        reserves = [(dataset, "reserve")] * (2 + len(_blocks(dataset)))
        assert rows == [*reserves, (dataset, "lost")]
        assert ledger.budget(project).faults == 1
    invariants.hold(place)


def test_a_charge_reaches_its_own_path_and_no_other_account(ledger: Ledger, place: Place) -> None:
    """Whatever else has the same name, and whatever other accounts the same owner has."""
    for project, dataset in PROJECTS.items():
        for number, (analyst, kept) in enumerate(product((None, "anna", SAME), (None, SAME))):
            name = f"{number}"
            charge = ledger.reserve(claimed(ledger, project, name, analyst=analyst, earmark=kept))
            assert _posted(place, charge) == [
                ("dataset", "", dataset),
                *(("block", dataset, one) for one in _blocks(dataset)),
                ("project", dataset, project),
                *([("earmark", project, kept)] if kept else []),
                *([("analyst", project, analyst)] if analyst else []),
            ]
    invariants.hold(place)


def _posted(place: Place, charge: Charge) -> list[tuple[str, ...]]:
    wanted = (
        "SELECT a.kind, a.owner, a.name FROM entry e JOIN account a ON a.id = e.account "
        "WHERE e.charge = :id AND e.event = 'reserve' ORDER BY e.number"
    )
    with looking(place) as tx:
        return [tuple(row) for row in tx.execute(text(wanted), {"id": charge.id})]


def test_what_is_frozen_stops_and_nothing_beside_it(ledger: Ledger, place: Place) -> None:
    claims = {project: claimed(ledger, project, *NAMES) for project in PROJECTS}
    ledger.freeze_dataset(FAR, "ada", "an incident")
    ledger.freeze(SAME, "ada", "an incident")
    stopped = {"people": DatasetFrozen, SAME: ProjectFrozen}
    for project, wanted in claims.items():
        told = pytest.raises(stopped[project]) if project in stopped else nullcontext()
        with told:
            ledger.reserve(wanted)
        with looking(place) as tx, told:
            charging.refuse_frozen(tx, project)


def test_a_dataset_is_read_in_its_own_blocks(ledger: Ledger) -> None:
    for project, dataset in PROJECTS.items():
        wrong = () if _blocks(dataset) else BLOCKS
        with pytest.raises(UnknownBlock):
            ledger.reserve(claimed(ledger, project, *NAMES, blocks=wrong))
        ledger.reserve(claimed(ledger, project, *NAMES))


def test_a_charge_stands_in_its_own_state(ledger: Ledger, place: Place) -> None:
    """What tells a caller whether an act that broke off was committed."""
    crowded(ledger)
    made = {state: _reserved(ledger, state, "areas", state.value) for state in ENDS}
    stands = {state: ended(ledger, charge, state) for state, charge in made.items()}
    stands[ChargeState.RESERVED] = _reserved(ledger, ChargeState.RESERVED, "areas", "f")
    storage = Storage.open(place)
    with storage.begin() as tx:
        for own, charge in stands.items():
            found = [state for state in ChargeState if charging.ended(tx, charge, state)]
            assert found == [own]
            assert charge.holder is not None
            mine = charging.reserved_by(tx, charge, charge.holder)
            assert mine is (own is ChargeState.RESERVED)
            assert not charging.reserved_by(tx, charge, "somebody else")
    storage.close()


def test_a_project_is_served_by_its_own_releases(ledger: Ledger) -> None:
    """With what it released first, by the query that paid; others' releases are not its own."""
    settled = crowded(ledger)
    assert ledger.first_table("areas", "a") is None
    for project, charge in settled.items():
        tables = _tables(charge)
        assert {name: ledger.first_table(project, name) for name in NAMES} == tables
        assert ledger.first_table(project, "c") is None
        again = ledger.reserve(claimed(ledger, project, *NAMES, "more"))
        assert again.stages == ("more",)
        assert (again.served, again.origins) == (tables, dict.fromkeys(NAMES, charge.query))
        finer = replace(drawing("a"), scales=(1.0,))
        later = ledger.reserve(replace(claimed(ledger, project), stages=(finer,)))
        ended(ledger, later, ChargeState.SETTLED)
        assert ledger.first_table(project, "a") == tables["a"]
    assert all(ledger.verify(dataset).intact for dataset in (FAR, DATASET, WHOLE))


def test_a_stage_runs_once_at_a_time_in_a_project(ledger: Ledger, place: Place) -> None:
    """And what runs has released nothing yet, in whatever project."""
    crowded(ledger)
    before = beside(place)
    for project in PROJECTS:
        for names in (("c",), ("c", "new")):
            wanted = claimed(ledger, project, *names)
            with pytest.raises(InFlight):
                ledger.reserve(wanted)
    after = beside(place)
    assert all(after[name] == before[name] for name in ("charge", "stage", "entry", "account"))
