"""Units: every id of the sources once, with its pseudonym, and no more of them than declared.

Privacy note
    Neighbours  two datasets that differ in all rows of one privacy unit.
    Claim       a row's pseudonym depends on its own unit's id and the key alone, and a delivery
                holds at most `at_most` units, so slots and integer ranges may rest on it.
    Requires    `at_most` to be declared before the data are seen; the registration's failure is
                seen by the provider alone (P14, P18).
    Why         ids are normalised row by row and hashed one by one. Pseudonyms that meet, and
                units above the declared number, fail the registration as a whole: dropping some of
                the units instead would make one unit decide about another's rows (P2).
    Tried by    tests/deliver/test_neighbours.py
"""

from __future__ import annotations

from collections.abc import Iterable

from queries.catalog.manifest import Manifest
from queries.deliver.engine import Engine, number
from queries.deliver.faults import RegistrationFailed
from queries.deliver.pseudonym import pseudonym
from queries.deliver.stage import ID, Staged

UNITS = "main._units"


def write_units(engine: Engine, staged: Iterable[Staged]) -> int:
    """Give every distinct id its pseudonym; how many there are."""
    having = [table for table in staged if table.table.unit_key is not None]
    ids = " UNION ALL ".join(f"SELECT {ID} FROM {table.relation}" for table in having)
    engine.execute(
        f"CREATE TABLE {UNITS} AS SELECT {ID}, {pseudonym(ID)} AS _unit "
        f"FROM (SELECT DISTINCT {ID} FROM ({ids}) WHERE {ID} IS NOT NULL)"
    )
    return number(engine, f"SELECT count(*) FROM {UNITS}")


def check_units(engine: Engine, manifest: Manifest) -> None:
    """Raise RegistrationFailed where pseudonyms meet or there are too many units."""
    count = number(engine, f"SELECT count(*) FROM {UNITS}")
    different = number(engine, f"SELECT count(DISTINCT _unit) FROM {UNITS}")
    faults = []
    if different < count:
        faults.append("two ids have one pseudonym: register again with a new key")
    if count > (most := manifest.unit.at_most):
        faults.append(f"there are {count:,} units, and unit.at_most is {most:,}")
    if faults:
        raise RegistrationFailed(*faults)
