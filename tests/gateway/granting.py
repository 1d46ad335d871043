"""Two datasets for grants: `full`, a part of which is granted, and `bare`, which is that part."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.access import Role
from gateway.deliveries import Deliveries
from gateway.home import Home
from gateway.registry import Registry

BARE = """\
dataset: {name}
title: Visits
unit: {{name: person, at_most: 500, most_per_person: 1}}
ceiling: {{epsilon: 900, delta: 1e-4}}
timing: off
tables:
  visits:
    source: {name}_visits.csv
    unit_key: person_id
    rows_per_unit: 4
    columns:
      person_id: {{type: integer}}
      area: {{type: text, references: areas.area}}
      cost: {{type: decimal, lower: 0, upper: 100, step: 0.01}}
{secret_column}{secret_table}
  areas:
    public: true
    source: areas.csv
    origin: made up for tests
    key: [area]
    columns:
      area: {{type: text}}
      residents: {{type: integer}}
{secret_public}
"""
SECRET = {
    "secret_column": "      hiv: {type: text, categories: [pos, neg]}\n"
    "      ward: {type: text, references: wards.ward}\n",
    "secret_table": "  diagnoses:\n    source: diagnoses.csv\n    unit_key: person_id\n"
    "    rows_per_unit: 2\n    columns:\n      person_id: {type: integer}\n"
    "      hiv: {type: text}\n",
    "secret_public": "      income: {type: integer}\n"
    "  wards: {public: true, source: wards.csv, origin: o, key: [ward], columns: {ward: "
    "{type: text}}}\n",
}
NOTHING = dict.fromkeys(SECRET, "")
SEEN = {"visits": ["person_id", "area", "cost"], "areas": ["area", "residents"]}
HIDDEN = ("hiv", "ward", "wards", "diagnoses", "income")
QUESTIONS = (
    "SELECT hiv, COUNT(*) FROM visits GROUP BY hiv",
    "SELECT COUNT(*) FROM visits WHERE hiv = 'pos'",
    "SELECT COUNT(*) FROM visits WHERE \"HIV\" = 'pos'",
    "SELECT COUNT(*) FROM visits WHERE hi = 'pos'",
    "SELECT COUNT(*) FROM visits v WHERE v.hiv = 'pos'",
    "SELECT COUNT(hiv) FROM visits",
    "SELECT SUM(cost) FILTER (WHERE ward = 'a') FROM visits",
    "SELECT ward, COUNT(*) FROM visits JOIN wards USING (ward) GROUP BY ward",
    "SELECT COUNT(*) FROM diagnoses",
    "SELECT COUNT(*) FROM diagnosis",
    "SELECT COUNT(*) FROM visits v JOIN diagnoses d ON v.person_id = d.person_id",
    "SELECT COUNT(*) FROM visits NATURAL JOIN diagnoses",
    "SELECT COUNT(*) FROM visits v WHERE EXISTS (SELECT 1 FROM diagnoses d WHERE d.hiv = v.area)",
    "SELECT * FROM wards",
    "SELECT * FROM areas",
    "SELECT * FROM areas ORDER BY income",
    "SELECT income FROM areas",
    "SELECT areas FROM areas",
    "SELECT rowid FROM areas",
    "SELECT rowid AS rowid FROM areas",
    "SELECT MAX(a.RowId) FROM (SELECT 1 AS x) a",
    "SELECT a.income, a.area FROM areas a",
    "SELECT MAX(income) FROM areas",
    "SELECT area FROM areas WHERE income > 1",
    "SELECT z FROM areas AS t(x, y, z)",
    "SELECT * FROM areas AS t(x, y, z)",
    "SELECT * EXCLUDE (income) FROM areas",
    "SELECT COLUMNS('in.*') FROM areas",
    "SELECT * FROM areas a NATURAL JOIN areas b",
    "SELECT a.area FROM areas a JOIN areas b USING (income)",
    "SELECT * FROM (SELECT * FROM areas) AS t(a, b, c)",
    "WITH w AS (SELECT * FROM wards) SELECT * FROM w",
    "PIVOT areas ON area USING SUM(income)",
    "PIVOT areas ON area USING SUM(residents)",
    "FROM areas",
    "FROM wards",
    "SELECT * FROM public_tables.main.areas",
    "SELECT * FROM public_tables.areas",
    "SELECT * FROM shown_tables.main.areas",
    "SELECT * FROM main.wards",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM duckdb_columns()",
    "SELECT * FROM duckdb_tables()",
    "DESCRIBE areas",
    "SUMMARIZE areas",
    "SELECT income, COUNT(*) FROM visits JOIN areas USING (area) GROUP BY income",
    "SELECT SUM(income) FROM visits JOIN areas USING (area)",
    "SELECT COUNT(*) FROM visits JOIN (SELECT * FROM areas) a USING (area) WHERE a.income > 3",
    "SELECT COUNT(*) FROM visits JOIN (SELECT area, income AS i FROM areas) a USING (area)",
    "SELECT COUNT(*) FROM visits WHERE area IN (SELECT area FROM areas WHERE income > 1)",
    "SELECT (SELECT MAX(income) FROM areas), COUNT(*) FROM visits",
    "SELECT * FROM visits",
    "SELECT hiv FROM visits",
    "SELECT area, hiv FROM visits LIMIT 5",
    "SELECT area, COUNT(*) AS n FROM visits GROUP BY ALL",
    "SELECT area, AVG(cost) FROM visits GROUP BY area",
    "SELECT a.area, SUM(cost) FROM areas a LEFT JOIN visits v USING (area) GROUP BY a.area",
    "SELECT COUNT(DISTINCT hiv) FROM visits",
    "SELECT MEDIAN(income) FROM visits JOIN areas USING (area)",
    "SELECT SUM(costs) FROM visits",
    "SELECT COUNT(*) FROM visit",
)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"effects": True},
    {"dialect": "postgres"},
    {"bounds": {"columns": {"income": {"lower": 0, "upper": 1}}}},
    {"bounds": {"columns": {"visits.hiv": {"lower": 0, "upper": 1}}}},
)


def made(home: Path) -> dict[str, str]:
    sources = home.parent / "sources"
    sources.mkdir()
    (sources / "areas.csv").write_text("area,residents,income\nn,10,3\ns,20,4\n")
    (sources / "wards.csv").write_text("ward\na\nb\n")
    (sources / "diagnoses.csv").write_text(
        "person_id,hiv\n" + "".join(f"{n},x{n % 5}\n" for n in range(300))
    )
    for name, extra in (("full", SECRET), ("bare", NOTHING)):
        rows = [f"{n},{'ns'[n % 2]},{n % 90}.5,{name},a,pos\n" for n in range(400)]
        header = "person_id,area,cost,of,ward,hiv\n"
        (sources / f"{name}_visits.csv").write_text(header + "".join(rows))
        (sources / f"{name}.yaml").write_text(BARE.format(name=name, **extra))
    place = Home(home).prepare()
    storage = Storage.open(place.database)
    try:
        for name in ("full", "bare"):
            Deliveries(place, storage).register(sources / f"{name}.yaml")
        return populated(Ledger(storage), Registry(storage))
    finally:
        storage.close()


def populated(ledger: Ledger, registry: Registry) -> dict[str, str]:
    keys = {}
    for project, dataset in (("part", "full"), ("plain", "bare"), ("whole", "full")):
        ledger.open_project(project, dataset)
        ledger.allocate(project, Fraction(100), Fraction(1, 10**6), "test", "test")
        registry.give_role(project, Role.ANALYST, project)
        keys[project] = registry.create_key(project, Role.ANALYST, project)[1]
    for name, role in (("root", Role.ADMINISTRATOR), ("auditor", Role.AUDITOR)):
        registry.give_role(name, role, None)
        keys[name] = registry.create_key(name, role, None)[1]
    return keys
