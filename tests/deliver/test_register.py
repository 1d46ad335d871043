"""Registration is whole or nothing, says what it did to the provider alone, and can be repeated."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from queries.catalog.delivered import DeliveryDamaged, load_view
from queries.catalog.faults import ManifestRefused
from queries.catalog.manifest import Manifest
from queries.deliver.faults import RegistrationBusy, RegistrationFailed
from queries.deliver.register import Hashes, register
from queries.deliver.staging import staging
from tests.deliver.small import KEYS, Source, delivered, rows, stored, write

MANIFEST = """\
dataset: small
title: Two tables
unit: {name: device, at_most: 2000000}
ceiling: {epsilon: 1, delta: 0}
time_zone: Europe/Amsterdam
tables:
  pings:
    source: pings.csv
    unit_key: device
    rows_per_unit: 3
    columns:
      device: {type: integer}
      level: {type: integer, lower: 0, upper: 5}
      area: {type: text, references: areas.area}
  areas:
    public: true
    source: areas.csv
    origin: register
    key: [area]
    columns:
      area: {type: text}
      size: {type: decimal, step: 0.01, nullable: true}
      since: {type: timestamp}
"""
AREAS = Source(
    ("area", "size", "since"),
    [("n", "1.25", "2026-03-01T00:00:00Z"), ("s", "", "2026-07-01 00:00:00")],
)
PINGS = Source(("device", "level", "area"), [(1, 2, "n"), (1, 9, "s"), (2, 0, "x"), ("", 1, "n")])
SOURCES = {"pings": PINGS, "areas": AREAS}


def contents(folder: Path) -> dict[str, int]:
    """Every visible thing below a folder, by name, and when it was last written."""
    found = (path for path in folder.rglob("*") if path.name != ".registering")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in found}


def test_a_delivery_has_the_files_of_the_contract(tmp_path: Path) -> None:
    done = delivered(tmp_path, MANIFEST, SOURCES)
    names = {path.name for path in done.directory.iterdir()}
    assert names == {"private.duckdb", "public.duckdb", "manifest.yaml", "delivery.json"}
    assert (done.directory / "manifest.yaml").read_text() == MANIFEST
    modes = {stat.S_IMODE(path.stat().st_mode) for path in done.directory.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(done.directory.stat().st_mode) == 0o700
    assert not list(done.directory.parent.glob(".staging-*"))


def test_facts_of_public_tables_are_sealed(tmp_path: Path) -> None:
    done = delivered(tmp_path, MANIFEST, SOURCES)
    facts = json.loads((done.directory / "delivery.json").read_text())
    assert facts["public"] == {
        "areas": {
            "rows": 2,
            "columns": {
                "area": {"nullable": False, "lower": None, "upper": None},
                "size": {"nullable": True, "lower": 125, "upper": 125},
                "since": {
                    "nullable": False,
                    "lower": "2026-03-01T01:00:00",
                    "upper": "2026-07-01T00:00:00",
                },
            },
        }
    }
    assert facts["sources"] == dict(done.sources)
    view = load_view(done.directory)
    assert (view.delivery, view.manifest_hash) == (done.delivery, done.manifest_hash)
    assert view.manifest == done.manifest
    assert view.public["areas"].columns["size"].upper == 125


def test_public_tables_stand_in_both_files(tmp_path: Path) -> None:
    done = delivered(tmp_path, MANIFEST, SOURCES)
    tables = "SELECT table_name FROM duckdb_tables() ORDER BY ALL"
    assert rows(done, tables) == [("areas",), ("pings",)]
    assert rows(done, tables, "public") == [("areas",)]
    assert rows(done, "FROM areas") == rows(done, "FROM areas", "public")


def test_repairs_are_told_to_the_provider(tmp_path: Path) -> None:
    done = delivered(tmp_path, MANIFEST, SOURCES)
    assert [row[2:] for row in stored(done, "pings")] in (
        [(2, "n"), (5, "s")],
        [(5, "s"), (2, "n")],
    )
    units, pings, areas = done.report.lines()
    assert units == "device: 2 different ones, of at most 2,000,000"
    assert areas == "areas: public, 2 rows"
    assert pings.split(" (")[0] == "pings: 4 rows, 2 kept"
    assert pings.split(" (")[1].rstrip(")").split("; ") == [
        "1 without a unit, dropped",
        "level: 1 out of bounds, moved to the bound",
        "area: 1 not in the table referred to, dropped",
        "1 rows in all dropped for such values",
    ]


def test_the_same_source_twice_gives_the_same_rows(tmp_path: Path) -> None:
    first, second = (delivered(tmp_path, MANIFEST, SOURCES) for _ in range(2))
    assert first.delivery != second.delivery
    assert first.sources == second.sources
    assert stored(first, "pings") == stored(second, "pings")


def test_the_sealed_manifest_cannot_be_changed(tmp_path: Path) -> None:
    done = delivered(tmp_path, MANIFEST, SOURCES)
    path = done.directory / "manifest.yaml"
    path.write_text(MANIFEST.replace("upper: 5", "upper: 4"))
    with pytest.raises(DeliveryDamaged):
        load_view(done.directory)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pings": Source(("device", "level", "area"), [("x", "y", "n"), (1, "1.5", "n")])},
         ("1 values of device are not whole numbers", "2 values of level are not whole numbers")),
        ({"pings": Source(("device", "level"), [])}, ("pings: pings.csv has no column area",)),
        ({"areas": Source(("area", "size", "since"), [("n", "1", "2026-03-01")] * 2)},
         ("areas: 1 keys stand more than once",)),
        ({"areas": Source(("area", "size", "since"), [("n", "1", "")])},
         ("areas: 1 values of since are NULL",)),
        ({"areas": Source(("area", "size", "since"), [("n", "1,5", "2026")])},
         ("values of size are not numbers", "values of since are not times")),
        ({"pings": Source(("device", "level", "area"), [(1, 2)])}, ("cannot be read",)),
    ],
    ids=["parse", "column", "key", "null", "public", "ragged"],
)  # fmt: skip
def test_a_failure_names_every_fault_and_changes_nothing(
    tmp_path: Path, change: dict[str, Source], words: tuple[str, ...]
) -> None:
    deliveries = tmp_path / "deliveries"
    register(write(tmp_path / "good", MANIFEST, SOURCES), deliveries, KEYS)
    before = contents(deliveries)
    with pytest.raises(RegistrationFailed) as failed:
        register(write(tmp_path / "bad", MANIFEST, SOURCES | change), deliveries, KEYS)
    assert all(part in str(failed.value) for part in words), str(failed.value)
    assert contents(deliveries) == before


def test_a_refused_manifest_and_a_missing_file_change_nothing(tmp_path: Path) -> None:
    with pytest.raises(ManifestRefused):
        delivered(tmp_path, MANIFEST.replace("upper: 5", "upper: -5"), SOURCES)
    with pytest.raises(RegistrationFailed, match=r"there is no file pings\.csv"):
        delivered(tmp_path, MANIFEST, {"areas": AREAS})
    assert not list(tmp_path.rglob("*.duckdb"))


def test_the_caller_may_refuse_before_anything_is_built(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    class Refused(Exception):
        """What the caller's storage says no with."""

    def refuse(manifest: Manifest, hashes: Hashes) -> None:
        seen.append(dict(hashes))
        raise Refused(manifest.dataset)

    path = write(tmp_path / "sources", MANIFEST, SOURCES)
    with pytest.raises(Refused):
        register(path, tmp_path / "deliveries", KEYS, admit=refuse)
    assert seen[0].keys() == {"pings", "areas"}
    assert not contents(tmp_path / "deliveries")


def test_one_registration_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path / "sources", MANIFEST, SOURCES)
    deliveries = tmp_path / "deliveries"
    with staging(deliveries, "held"), pytest.raises(RegistrationBusy):
        register(path, deliveries, KEYS)
    register(path, deliveries, KEYS)


def test_progress_runs_forward_and_names_tables(tmp_path: Path) -> None:
    seen: list[tuple[float, str]] = []
    path = write(tmp_path / "sources", MANIFEST, SOURCES)
    register(path, tmp_path / "deliveries", KEYS, progress=lambda *part: seen.append(part))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert {"reading pings", "writing pings", "sealing"} <= {words for _, words in seen}


CHILD = """
import sys
from pathlib import Path
from queries.deliver.pseudonym import PseudonymKeys
from queries.deliver.register import register
def show(fraction, words):
    print(words, flush=True)
keys = PseudonymKeys(b"u" * 32, b"c" * 32)
{before}
try:
    register(Path(sys.argv[1]), Path(sys.argv[2]), keys, progress=show)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""
ROOT = Path(__file__).parent.parent.parent


def child(manifest: Path, deliveries: Path, before: str = "") -> subprocess.Popen[str]:
    """A process of its own that registers, and prints each step before it is taken."""
    command = [sys.executable, "-c", CHILD.format(before=before), str(manifest), str(deliveries)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def large() -> Source:
    """Enough rows for a registration to take a while."""
    return Source(
        ("device", "level", "area"), [(n // 3, n % 6, "ns"[n % 2]) for n in range(300_000)]
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "step", ["reading the sources", "reading pings", "writing pings", "sealing"]
)
def test_a_killed_registration_leaves_everything_as_it_was(tmp_path: Path, step: str) -> None:
    deliveries = tmp_path / "deliveries"
    path = write(tmp_path / "sources", MANIFEST, {"pings": large(), "areas": AREAS})
    register(write(tmp_path / "small", MANIFEST, SOURCES), deliveries, KEYS)
    before = contents(deliveries)
    process = child(path, deliveries)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == step:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    visible = {n: t for n, t in contents(deliveries).items() if not n.startswith(".staging-")}
    if step != "sealing":
        assert visible == before
    whole = [path for path in deliveries.iterdir() if not path.name.startswith(".")]
    assert all(load_view(path).manifest.dataset == "small" for path in whole)
    assert register(path, deliveries, KEYS).report.tables[0].stored == 300_000
    assert not list(deliveries.glob(".staging-*"))


@pytest.mark.slow
def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: writes beyond it fail just so."""
    deliveries = tmp_path / "deliveries"
    path = write(tmp_path / "sources", MANIFEST, {"pings": large(), "areas": AREAS})
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))"
    )
    process = child(path, deliveries, limit)
    output, _ = process.communicate(timeout=120)
    assert "is there room on the disk?" in output.splitlines()[-1]
    assert not contents(deliveries)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "sources", MANIFEST, SOURCES)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RegistrationFailed, match="is there room on the disk"):
        register(path, tmp_path / "file" / "deliveries", KEYS)


def test_a_source_that_changes_meanwhile_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "sources", MANIFEST, SOURCES)

    def disturb(fraction: float, words: str) -> None:
        if words == "writing pings":
            with (path.parent / "pings.csv").open("a") as file:
                file.write("3,1,n\n")

    with pytest.raises(RegistrationFailed, match="changed while it was read"):
        register(path, tmp_path / "deliveries", KEYS, progress=disturb)
    assert not contents(tmp_path / "deliveries")
