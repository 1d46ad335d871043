"""Keys that are properties of the unit: each unit is in one group of them, and in no other."""

from __future__ import annotations

import pytest

from queries.plan.price import Options, Price
from tests.plan.benches import bench

PRICE = Price(rho=10**12, delta=10**12)
DEVICES = "FROM devices d JOIN pings p USING (device_id)"


def groups(sql: str, name: str = "mobility", options: Options = Options()) -> list[int]:
    """In how many cells of each stage one unit counts."""
    plan = bench(name).plan(sql, options, PRICE)
    return [stage.columns[0].noise.l1 for stage in plan.stages]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT d.operator, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY 1",
        f"SELECT d.operator || d.contract, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY 1",
        (
            "SELECT o, COUNT(DISTINCT p.device_id) FROM (SELECT device_id, operator AS o FROM "
            "devices) JOIN pings p USING (device_id) GROUP BY 1"
        ),
        (
            "SELECT d.operator, COUNT(DISTINCT d.device_id) FROM devices d LEFT JOIN pings p "
            "USING (device_id) GROUP BY 1"
        ),
        f"SELECT d.operator, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY CUBE (1, d.contract)",
    ],
)
def test_a_unit_is_in_one_group_of_its_own_properties(sql: str) -> None:
    assert set(groups(sql)) == {1}


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT p.kind, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY 1",
        (
            "SELECT d.operator, COUNT(DISTINCT p.device_id) FROM pings p LEFT JOIN devices d "
            "ON p.device_id = d.device_id AND p.kind = 'call' GROUP BY 1"
        ),
        (
            "SELECT o, COUNT(DISTINCT device_id) FROM (SELECT device_id, operator AS o FROM "
            "devices UNION ALL SELECT device_id, 'south' FROM devices) GROUP BY 1"
        ),
        (
            f"SELECT CASE WHEN p.fee > 1 THEN d.operator END, COUNT(DISTINCT d.device_id) "
            f"{DEVICES} GROUP BY 1"
        ),
    ],
)
def test_what_differs_from_row_to_row_is_no_such_property(sql: str) -> None:
    assert min(groups(sql)) > 1


def test_other_keys_share_the_group_of_the_unit() -> None:
    both = groups(f"SELECT d.operator, p.kind, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY 1, 2")
    kinds = groups(f"SELECT p.kind, COUNT(DISTINCT p.device_id) {DEVICES} GROUP BY 1")
    assert both == kinds


def test_units_counted_by_their_own_properties_add_up() -> None:
    sql = (
        f"SELECT d.operator, d.contract, COUNT(DISTINCT p.device_id) {DEVICES} "
        "GROUP BY ROLLUP (d.operator, d.contract)"
    )
    (hierarchy,) = bench("mobility").plan(sql, price=PRICE).hierarchies
    assert (hierarchy.additive, hierarchy.covered) == (("m0",), ())
    mixed = sql.replace("ROLLUP (d.operator, d.contract)", "ROLLUP (d.operator, d.contract, kind)")
    (hierarchy,) = bench("mobility").plan(mixed, price=PRICE).hierarchies
    assert (hierarchy.additive, hierarchy.covered) == ((), ("m0",))


def test_rows_of_a_unit_count_up_to_the_bound_in_its_one_group() -> None:
    sql = f"SELECT d.operator, COUNT(*) {DEVICES} GROUP BY 1"
    assert groups(sql, options=Options(rows_per_group=3)) == [3]
