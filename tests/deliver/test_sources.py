"""Sources of every form become the same rows; what a type cannot express fails."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from queries.deliver.check import check
from queries.deliver.faults import RegistrationFailed
from queries.deliver.register import Registration, register
from tests.deliver.small import KEYS, Source, stored, write

MANIFEST = """\
dataset: forms
title: One table of many forms
unit: {{name: device, at_most: 99}}
ceiling: {{epsilon: 1, delta: 0}}
time_zone: Europe/Amsterdam
tables:
  t:
    source: '{source}'
    unit_key: id
    rows_per_unit: 99
    columns:
      id: {{type: integer}}
      x: {column}
"""
NOTE = "{type: text}"


def registered(folder: Path, source: str, column: str = NOTE) -> Registration:
    path = write(folder, MANIFEST.format(source=source, column=column), {})
    return register(path, folder / "deliveries", KEYS)


def values(registration: Registration) -> list[object]:
    return [row[2] for row in stored(registration, "t")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"id,x\n1,a\n1,b\n"),
        ("t.csv", b"\xef\xbb\xbfid,x\r\n1,a\r\n1,b\r\n"),
        ("t.csv", b"x;more;id\na;1,2;1\nb;;1\n"),
        ("t.csv", b'"ID"|"X"\n"1"|"a"\n"1"|"b"'),
        ("t.tsv", b"id\tx\n1\ta\n1\tb\n"),
        ("t.csv.gz", gzip.compress(b"id,x\n1,a\n1,b\n")),
    ],
    ids=["plain", "windows", "semicolon", "bar", "tab", "gzip"],
)
def test_csv_is_read_by_its_first_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert values(registered(tmp_path, name)) == ["a", "b"]


def test_quotes_hold_separators_quotes_and_lines(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'id,x\n1,"a,""b""\nc"\n')
    assert values(registered(tmp_path, "t.csv")) == ['a,"b"\nc']


def test_a_separator_is_not_guessed_from_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"id,x\n" + b"1,a;b;c|d\n" * 9)
    assert values(registered(tmp_path, "t.csv")) == ["a;b;c|d"] * 9


def test_csv_files_of_several_forms_are_one_table(tmp_path: Path) -> None:
    folder = tmp_path / "a[1]*b"
    folder.mkdir()
    (folder / "p1.csv").write_bytes(b"id,x\n1,a\n")
    (folder / "p2.csv").write_bytes(b"left,x,id\n9,b,1\n")
    (folder / "p3.csv").write_bytes(b"id;x\n1;c\n")
    (folder / "p4.csv").write_bytes(b"id,x\n1,not of this table\n")
    assert values(registered(folder, "p[1-3].csv")) == ["a", "b", "c"]


def test_parquet_files_of_several_forms_are_one_table(tmp_path: Path) -> None:
    with duckdb.connect() as engine:
        for name, rows in (
            ("q1", "1 AS id, 'a' AS x, 5 AS more"),
            ("q2", "{'deep': 1} AS more, 1.0 AS ID, 'b' AS X"),
        ):
            engine.execute(f"COPY (SELECT {rows}) TO '{tmp_path / name}.parquet' (FORMAT parquet)")
    assert values(registered(tmp_path, "**/q*.parquet")) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"", "holds no declared name"),
        ("t.csv", b"a,b\n1,2\n", "holds no declared name"),
        ("t.csv", b"id,y\n1,2\n", "has no column x"),
        ("t.csv", b"id,x,X\n1,2,3\n", "two columns of one name"),
        ("t.csv", b"id,x\n1,\xff\xfe\n", "cannot be read"),
        ("t.csv", b'id,x\n1,"a\n', "cannot be read"),
        ("t.csv", b"id,x\n1,2,secret-value\n", "cannot be read"),
        ("t.csv.gz", b"not gzip", "no first line"),
        ("t.parquet", b"PAR1 not parquet", "not a whole Parquet file"),
    ],
)
def test_what_cannot_be_read_is_told_without_its_values(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RegistrationFailed, match=words) as failed:
        registered(tmp_path, name)
    assert "secret-value" not in str(failed.value)
    assert failed.value.__cause__ is None


AMOUNT = "{type: decimal, lower: -5, upper: 100, step: 0.01, nullable: true}"
COARSE = "{type: decimal, lower: -5, upper: 100, step: 0.25, nullable: true}"
HUNDREDS = "{type: decimal, lower: -1000, upper: 100000, step: 100, nullable: true}"
WHOLE = "{type: integer, lower: -5, upper: 100, nullable: true}"
FREE = "{type: integer, nullable: true}"
TIME = "{type: timestamp, nullable: true}"
DAY = "{type: date, nullable: true}"
YES = "{type: boolean, nullable: true}"
REAL = "{type: real, nullable: true}"
TEXT = "{type: text, nullable: true, length: 3}"


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (WHOLE, "7", 7), (WHOLE, "7.0", 7), (WHOLE, "1e1", 10), (WHOLE, "101", 100),
        (WHOLE, "1" * 30, 100), (WHOLE, "-" + "1" * 30, -5), (WHOLE, "nan", None),
        (WHOLE, "", None),
        (FREE, "9007199254740993", 9007199254740993), (FREE, "-9223372036854775807", -(2**63) + 1),
        (AMOUNT, "0.285", 29), (AMOUNT, "-0.285", -29), (AMOUNT, "1e1", 1000),
        (AMOUNT, "1e300", 10000), (AMOUNT, "-1e300", -500), (AMOUNT, "-inf", None),
        (COARSE, "0.3", 25), (COARSE, "0.38", 50), (COARSE, "-0.37", -25), (COARSE, "-0.38", -50),
        (COARSE, "0.374999", 25), (COARSE, "1e300", 10000), (COARSE, "99.9", 10000),
        (HUNDREDS, "149.99", 100), (HUNDREDS, "-150", -200), (HUNDREDS, "99960", 100000),
        (TIME, "2026-07-01T00:00:00Z", datetime(2026, 7, 1, 2)),
        (TIME, "2026-01-01 12:00:00+05:00", datetime(2026, 1, 1, 8)),
        (TIME, "2026-01-01 12:00:00.25", datetime(2026, 1, 1, 12, 0, 0, 250000)),
        (TIME, "2026-01-01", datetime(2026, 1, 1)), (TIME, "infinity", None),
        (DAY, "2026-02-28", date(2026, 2, 28)), (DAY, "-infinity", None),
        (YES, "true", True), (YES, "0", False), (YES, "no", False),
        (REAL, "0.5", 0.5), (REAL, "inf", None), (REAL, "NaN", None),
        (TEXT, "abcd", "abc"), (TEXT, "é€😀x", "é€😀"),
    ],
)  # fmt: skip
def test_text_is_parsed_and_repaired(
    tmp_path: Path, column: str, value: str, expected: object
) -> None:
    write(tmp_path, "", {"t": Source(("id", "x"), [(1, value)])})
    assert values(registered(tmp_path, "t.csv", column)) == [expected]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (WHOLE, "7.5"), (WHOLE, "x"), (WHOLE, "NA"), (FREE, "1" * 30), (AMOUNT, "1,5"),
        (AMOUNT, "€ 3"), (TIME, "yesterday"), (TIME, "2026-13-01"), (DAY, "01/02/2026"),
        (YES, "maybe"), (REAL, "one"),
    ],
)  # fmt: skip
def test_what_a_type_cannot_express_fails(tmp_path: Path, column: str, value: str) -> None:
    write(tmp_path, "", {"t": Source(("id", "x"), [(1, value), (1, ""), (2, value)])})
    with pytest.raises(RegistrationFailed, match="t: 2 values of x are not"):
        registered(tmp_path, "t.csv", column)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (WHOLE, "7::UTINYINT", 7), (WHOLE, "7.0::DOUBLE", 7), (WHOLE, "'nan'::DOUBLE", None),
        (WHOLE, "1e300::DOUBLE", 100), (WHOLE, "7.00::DECIMAL(9,2)", 7), (WHOLE, "7::HUGEINT", 7),
        (AMOUNT, "1.25::DECIMAL(15,2)", 125), (AMOUNT, "0.07::DOUBLE", 7), (AMOUNT, "3::INT", 300),
        (AMOUNT, "'inf'::FLOAT", None), (AMOUNT, "1.255::DECIMAL(9,3)", 126),
        (TIME, "TIMESTAMPTZ '2026-07-01 00:00:00+00'", datetime(2026, 7, 1, 2)),
        (TIME, "TIMESTAMP_NS '2026-07-01 00:00:00.5'", datetime(2026, 7, 1, 0, 0, 0, 500000)),
        (TIME, "DATE '2026-07-01'", datetime(2026, 7, 1)),
        (DAY, "TIMESTAMP '2026-07-01 23:00:00'", date(2026, 7, 1)),
        (DAY, "TIMESTAMPTZ '2026-07-01 23:00:00+00'", date(2026, 7, 2)),
        (YES, "true", True), (YES, "1::INT", True), (REAL, "1.5::DECIMAL(9,2)", 1.5),
        (TEXT, "'abcd'", "abc"), (TEXT, "12::INT", "12"), (TEXT, "'a' || chr(0) || 'b'", "ab"),
        (TEXT, "'up'::ENUM('up','down')", "up"),
    ],
)  # fmt: skip
def test_parquet_types_are_parsed_and_repaired(
    tmp_path: Path, column: str, value: str, expected: object
) -> None:
    with duckdb.connect() as engine:
        path = tmp_path / "t.parquet"
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute(f"COPY (SELECT 1.0 AS id, {value} AS x) TO '{path}' (FORMAT parquet)")
    assert values(registered(tmp_path, "t.parquet", column)) == [expected]


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        (WHOLE, "true", "boolean"), (WHOLE, "DATE '2026-01-01'", "date"),
        (YES, "1.5::DOUBLE", "double"),
        (TEXT, "[1]", "integer[]"), (TEXT, "'a'::BLOB", "blob"), (TIME, "1::INT", "integer"),
        (REAL, "DATE '2026-01-01'", "date"), (AMOUNT, "true", "boolean"),
    ],
)  # fmt: skip
def test_types_that_disagree_are_told_by_check_and_register(
    tmp_path: Path, column: str, value: str, kind: str
) -> None:
    with duckdb.connect() as engine:
        path = tmp_path / "t.parquet"
        engine.execute(f"COPY (SELECT 1 AS id, {value} AS x) TO '{path}' (FORMAT parquet)")
    with pytest.raises(RegistrationFailed) as failed:
        registered(tmp_path, "t.parquet", column)
    assert f"t: x is {kind} in t.parquet, declared" in str(failed.value)
    assert check(tmp_path / "manifest.yaml").sources == failed.value.faults


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"id,x\n")
    registration = registered(tmp_path, "t.csv")
    assert values(registration) == []
    assert registration.report.units == 0
