"""The benchmark prints its tables; what the numbers are is nobody's business here."""

from __future__ import annotations

import shutil

import pytest

from tests.benchmarks import ledger, planning
from tests.benchmarks.__main__ import main


@pytest.mark.slow
def test_the_command_prints_both_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """One query that is charged, one that is exact, one in two levels, and requests over HTTP."""
    two = "7 keys, 2 groups_per_unit"
    main(["--scale", "0.01", "--turns", "1", "--seconds", "0.5", "--only", "Q6", "Q11", two])
    printed = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in printed.splitlines()]
    found = {row[0]: row for row in rows if row}
    assert {name: found[name][1] for name in ("Q6", "Q11", two)} == {
        "Q6": "1",
        "Q11": "public",
        two: "2",
    }
    assert all(float(found[clients][1]) > 0 for clients in ("1", "8"))


@pytest.mark.slow
def test_planning_is_laid_beside_explain(capsys: pytest.CaptureFixture[str]) -> None:
    planning.main(["--turns", "1"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1].strip() for row in rows] == [f"Q{n}" for n in range(1, 23)]
    assert all(float(row[cell]) > 0 for row in rows for cell in (3, 4, 6))


def test_the_table_takes_its_place_on_the_page() -> None:
    before = f"# One\n\n{planning.HEADING}\nsaid\n\n{planning.TABLE} old |\n\n## Two\n\nmore\n"
    after = planning.page(before, ["| new |"])
    assert after == f"# One\n\n{planning.HEADING}\nsaid\n\n| new |\n\n## Two\n\nmore\n"
    assert planning.page(after.replace("| new |", planning.TABLE), ["| new |"]) == after


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler makes flushes slower here")
def test_charges_are_laid_beside_the_floor(capfd: pytest.CaptureFixture[str]) -> None:
    """Once as the disk is, once where each flush takes 20 milliseconds more."""
    short = ["--seconds", "0.2", "--rounds", "1", "--past", "0", "--on", "sqlite", "--clients", "1"]
    ledger.main(short)
    ledger.main([*short, "--flush", "20"])
    printed = capfd.readouterr().out.splitlines()
    fast, slow = (float(line.split()[3]) for line in printed if line.startswith("a flush takes"))
    assert slow > fast + 19
    assert [row.count("|") for row in printed if row.startswith("| 1 ")] == [8, 8]
