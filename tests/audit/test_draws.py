"""The losses of charges are counted anew from what each one drew; what does not fit is found."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from budgets.amounts import PICO
from budgets.charge import StageClaim
from budgets.loss import PrivacyLoss
from budgets.mechanisms import Drawn, read
from gateway.audit.signing import public_key
from gateway.audit.verifying import verify
from tests.audit.books import Books, full
from tests.budgets.books import asked, claim, stage
from tests.budgets.places import Place, edit


@pytest.fixture
def books(tmp_path: Path, place: Place) -> Books:
    return full(tmp_path / "home", place)


def findings(books: Books, lines: list[bytes]) -> tuple[str, ...]:
    return verify(lines, [public_key(books.signer.public)]).findings


def drawn_lines(lines: list[bytes]) -> list[int]:
    return [n for n, line in enumerate(lines) if line.startswith(b'{"drawn"')]


def test_the_loss_of_every_charge_follows_from_what_it_drew(books: Books) -> None:
    """An auditor adds the draws up and finds no more than what was charged."""
    one = Drawn("discrete-gaussian", 4, 16, 1000.0, 8_000_000)
    drawn = replace(stage("with-draws", 10**9), drawn=(one, one))
    query = asked(books.ledger)
    charge = books.ledger.reserve(claim(query, drawn))
    lines = books.export()
    assert not [each for each in findings(books, lines) if "drew" in each]
    told = [json.loads(lines[n])["drawn"] for n in drawn_lines(lines)]
    mine = next(each for each in told if each["charge"] == charge.id)
    assert read(mine["stages"][0][2]) == (one, one)
    assert sum(each.rho for each in read(mine["stages"][0][2])) <= charge.loss.rho


def charged_less(books: Books) -> bool:
    return any("less than what it drew" in each for each in findings(books, books.export()))


TENTH = PICO // 10
LAPLACE = Drawn("discrete-laplace", 3, 9, 30.0, TENTH**2 // (2 * PICO), TENTH)
SELECTED = Drawn("exponential", 3, 9, 30.0, 5 * 10**9)
FLIPPED = Drawn("permute-and-flip", 3, 9, 60.0, TENTH**2 // (2 * PICO), TENTH)


def wide(drawn: Drawn) -> StageClaim:
    """A stage that claims what its draw says that it loses."""
    loss = PrivacyLoss(drawn.rho, 0, drawn.epsilon)
    return StageClaim("w", loss, (drawn.scale,), drawn.mechanism, (drawn,))


@pytest.mark.parametrize("drawn", [LAPLACE, SELECTED, FLIPPED], ids=lambda one: one.mechanism)
def test_the_loss_of_every_mechanism_is_counted_anew(books: Books, drawn: Drawn) -> None:
    """Whoever writes a smaller loss beside the same noise, in ledger and draws alike, is found."""
    books.ledger.reserve(claim(asked(books.ledger), wide(drawn)))
    assert not charged_less(books)
    few = None if drawn.epsilon is None else drawn.epsilon - 10
    less = replace(drawn, rho=drawn.rho - 10**5, epsilon=few)
    books.ledger.reserve(claim(asked(books.ledger), replace(wide(less), digest="less")))
    assert charged_less(books)


def test_a_mechanism_that_nobody_knows_is_worth_no_charge(books: Books) -> None:
    drawn = replace(SELECTED, mechanism="sparse-vector")
    books.ledger.reserve(claim(asked(books.ledger), wide(drawn)))
    assert charged_less(books)


@pytest.mark.parametrize("under", ["pure", "zcdp"])
def test_a_pure_account_is_held_to_epsilon(tmp_path: Path, place: Place, under: str) -> None:
    """Its entries have no rho, be it the ceiling's own or a project's below a ceiling that has."""
    books = Books(tmp_path / "home", place)
    if under == "pure":
        books.ledger.open_dataset("poll", Fraction(4), Fraction(0))
    else:
        books.ledger.open_dataset("poll", Fraction(8), Fraction(1, 10**7))
    books.ledger.open_project("pure", "poll")
    books.ledger.allocate("pure", Fraction(1), Fraction(0), "ada", "first")

    def charge(drawn: Drawn, name: str) -> None:
        query = asked(books.ledger, project="pure")
        books.ledger.reserve(claim(query, replace(wide(drawn), digest=name), blocks=()))

    charge(LAPLACE, "first")
    assert not charged_less(books)
    charge(replace(LAPLACE, epsilon=TENTH - 10), "less")
    assert charged_less(books)


def test_a_pure_account_pays_for_no_threshold(tmp_path: Path, place: Place) -> None:
    """Its entries have no delta: whatever epsilon was posted to it, that is not covered."""
    books = Books(tmp_path / "home", place)
    books.ledger.open_dataset("poll", Fraction(4), Fraction(0))
    books.ledger.open_project("pure", "poll")
    books.ledger.allocate("pure", Fraction(1), Fraction(0), "ada", "first")
    books.ledger.reserve(claim(asked(books.ledger, project="pure"), wide(LAPLACE), blocks=()))
    assert not charged_less(books)
    edit(books.place, "UPDATE stage SET delta = 1 WHERE digest = 'w'")
    assert charged_less(books)


def test_the_delta_of_a_threshold_is_counted(books: Books) -> None:
    """An office that sets a threshold's delta higher beside the charge than in it is found."""
    keyed = replace(stage("keyed", SELECTED.rho, delta=10**9), drawn=(SELECTED,))
    books.ledger.reserve(claim(asked(books.ledger), keyed))
    assert not charged_less(books)
    edit(books.place, "UPDATE stage SET delta = 1000000001 WHERE digest = 'keyed'")
    assert charged_less(books)


def test_draws_that_are_changed_or_dropped_are_found(books: Books) -> None:
    one = Drawn("discrete-gaussian", 4, 16, 1000.0, 80_000_000)
    books.ledger.reserve(claim(asked(books.ledger), replace(stage("s", 10**9), drawn=(one,))))
    books.ledger.reserve(claim(asked(books.ledger), replace(stage("t", 7), drawn=(one,))))
    lines = books.export()
    assert any("of less than what it drew" in each for each in findings(books, lines))
    where = drawn_lines(lines)
    changed = list(lines)
    changed[where[-2]] = changed[where[-2]].replace(b"1000.0", b"9000.0")
    assert any("not what was charged" in each for each in findings(books, changed))
    for gone in (where[-2:-1], where):
        dropped = [line for n, line in enumerate(lines) if n not in gone]
        assert any("is missing" in each for each in findings(books, dropped))
