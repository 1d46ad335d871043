"""The benchmark prints its tables; what the numbers are is nobody's business here."""

from __future__ import annotations

import pytest

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
