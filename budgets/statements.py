"""What all that was charged amounts to: by each way of counting, and by the least that holds.

For a set of charges two statements hold at a given delta: what their rho converts to and, where all
of them are pure, the sum of their epsilons. The least of the two is what is told. Rows come from
the live ledger or from an export; both have the same columns.

Privacy note
    Neighbours  as each dataset's manifest declares them.
    Claim       `least` is an epsilon that all charges of the account together keep at its delta.
    Requires    every charge that is not void counted, whatever became of it.
    Why         zCDP and pure epsilon both add over adaptively chosen charges; each statement holds
                for the whole set, so the smaller one does. Delta for thresholding is told beside.
    Tried by    tests/budgets/test_statements.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection

from budgets.account import Grant, Kind
from budgets.admission import doubled
from budgets.amounts import ATTO, PICO
from budgets.chain import Event
from budgets.charge import ChargeState
from budgets.conversion import epsilon_of
from budgets.loss import NONE, PrivacyLoss
from budgets.mechanisms import Drawn, read
from budgets.storage import rows, schema

Row = Mapping[str, Any]
Read = Callable[[str], Iterable[Row]]
"""Reads the rows of a table by its name."""
_SHOWN = (Kind.DATASET.value, Kind.BLOCK.value, Kind.PROJECT.value)


@dataclass(slots=True)
class Charged:
    """All that was charged to one account: the loss, the draws, and stages without any known."""

    loss: PrivacyLoss = NONE
    charges: int = 0
    draws: list[Drawn] = field(default_factory=list)
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account's charges amount to at `delta`; `pure` is None unless all of them are."""

    kind: str
    name: str
    grant: Grant
    charged: Charged
    delta: Fraction
    converted: float | None
    pure: Fraction | None

    @property
    def least(self) -> float:
        """The tightest of the statements that hold, rounded up to a float."""
        found = [one for one in (self.converted, self.pure) if one is not None]
        return float(min(found)) if found else 0.0


def from_ledger(tx: Connection) -> Read:
    """The rows of a live ledger."""
    return lambda name: rows.rows(tx, schema.metadata.tables[name])


def from_export(lines: Iterable[str]) -> Read:
    """The rows of an export; those of releases and the record are skipped."""
    wanted: dict[str, list[Row]] = {n: [] for n in ("account", "charge", "entry", "stage")}
    for line in lines:
        found = json.loads(line)
        if isinstance(found, dict) and found.get("table") in wanted:
            wanted[found["table"]].append(found["row"])
    return lambda name: wanted[name]


def statements(read_rows: Read, dataset: str) -> Sequence[Statement]:
    """The ceiling, the blocks and the projects of a dataset, each with what was charged to it."""
    accounts = {row["id"]: row for row in read_rows("account") if row["dataset"] == dataset}
    charged = {which: Charged() for which in accounts}
    paid = _charges(read_rows)
    for entry in read_rows("entry"):
        if entry["account"] not in charged:
            continue
        if entry["event"] == Event.RESERVE and entry["charge"] in paid:
            block = accounts[entry["account"]]["kind"] == Kind.BLOCK.value
            mine = paid[entry["charge"]]
            _add(charged[entry["account"]], _in_block(mine, entry) if block else mine)
        if entry["event"] == Event.FORFEIT:
            _add(charged[entry["account"]], _forfeited(entry))
    shown = [row for row in accounts.values() if row["kind"] in _SHOWN]
    return [_statement(row, charged[row["id"]]) for row in shown]


@dataclass(slots=True)
class _Paid:
    """A charge: what its stages drew, those that are partial by themselves.

    Blocks paid `more` for these.
    """

    loss: PrivacyLoss
    draws: list[Drawn] = field(default_factory=list)
    unknown: int = 0
    partial: list[Drawn] = field(default_factory=list)
    more: bool = False


def _charges(read_rows: Read) -> dict[int, _Paid]:
    """Every charge that is not void, with what its stages drew."""
    found = {
        row["id"]: _Paid(PrivacyLoss(row["rho"], row["delta"], row["epsilon"]))
        for row in read_rows("charge")
        if row["state"] != ChargeState.VOID.value
    }
    for row in read_rows("stage"):
        if row["charge"] in found:
            draws = read(row["mechanisms"])
            paid = found[row["charge"]]
            (paid.partial if row.get("partial") else paid.draws).extend(draws)
            paid.more |= bool(row.get("partial"))
            found[row["charge"]].unknown += not draws
    return found


def _in_block(paid: _Paid, entry: Row) -> _Paid:
    """What a block was charged: for twice the sensitivity of what is partial."""
    if not paid.more:
        return paid
    most = doubled(paid.loss)
    epsilon = most.epsilon if most.epsilon is None else entry["epsilon"] or most.epsilon
    loss = PrivacyLoss(entry["rho"] or most.rho, paid.loss.delta, epsilon)
    return _Paid(loss, paid.draws, paid.unknown, [_twice(one) for one in paid.partial])


def _twice(one: Drawn) -> Drawn:
    """The same noise on what moves twice as far."""
    loss = doubled(PrivacyLoss(one.rho, 0, one.epsilon))
    moved = replace(one, l1=2 * one.l1, l2_squared=4 * one.l2_squared)
    return replace(moved, rho=loss.rho, epsilon=loss.epsilon)


def _forfeited(entry: Row) -> _Paid:
    """What is charged for all that a restore may have forgotten: of unknown draws."""
    epsilon = None if entry["rho"] else entry["epsilon"]
    return _Paid(PrivacyLoss(entry["rho"], entry["delta"], epsilon), unknown=1)


def _add(account: Charged, paid: _Paid) -> None:
    account.loss += paid.loss
    account.charges += 1
    account.draws.extend((*paid.draws, *paid.partial))
    account.unknown += paid.unknown


def _statement(row: Row, charged: Charged) -> Statement:
    given = Grant(row["epsilon"], row["delta"])
    loss, delta = charged.loss, given.conversion_delta
    return Statement(
        kind=row["kind"],
        name=row["name"],
        grant=given,
        charged=charged,
        delta=delta,
        converted=epsilon_of(loss.rho, delta) if delta else None,
        pure=Fraction(loss.epsilon or 0, PICO) if loss.pure else None,
    )


def thresholding(loss: PrivacyLoss) -> Fraction:
    """The delta that was spent on keys, which every statement has beside its own."""
    return Fraction(loss.delta, ATTO)


def named(found: Iterable[Row]) -> Iterator[str]:
    """The datasets that there are accounts of."""
    yield from sorted({row["dataset"] for row in found})
