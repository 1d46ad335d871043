"""A failed run is run once more as it was charged: at its moment, of its delivery, at its price."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from budgets.ledger import Ledger
from budgets.storage import Storage
from gateway.deliveries import Deliveries
from gateway.home import Home
from gateway.redoing import Terms, read
from gateway.registry import Registry
from queries.plan.price import Price
from tests.gateway.running import COUNT, Answer, Gateway, make_home, running
from tests.gateway.test_cli import sluis

REASON = {"reason": "the disk was full"}
TIMED = (
    "SELECT COUNT(*) AS n FROM visits WHERE date_trunc('minute', now()) > TIMESTAMP '2020-01-01'"
)
STAGES = (
    "SELECT note, COUNT(*) AS n FROM visits "
    "WHERE cost > (SELECT AVG(cost) FROM visits) GROUP BY note"
)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Gateway]:
    home = tmp_path / "home"
    with running(home, make_home(home), workers=1) as gateway:
        yield gateway


def file_of(gateway: Gateway) -> Path:
    """The file of the one delivery there is."""
    (found,) = (gateway.home / "deliveries").glob("*/private.duckdb")
    return found


def failed(gateway: Gateway, sql: str, **body: Any) -> dict[str, Any]:
    """A query whose run failed, since its file was away."""
    place = file_of(gateway)
    place.rename(place.with_suffix(".away"))
    assert gateway.query(sql, **body).code == "fault"
    place.with_suffix(".away").rename(place)
    found: dict[str, Any] = gateway.ask("GET", "/v1/projects/p/queries").json["queries"][0]
    return found


def redeem(gateway: Gateway, query: str) -> Answer:
    path = f"/v1/projects/p/queries/{query}/redemption"
    return gateway.ask("POST", path, REASON, "root")


def registered(gateway: Gateway) -> None:
    """The same manifest over one row more, as a newer delivery."""
    sources = gateway.home.parent / f"{gateway.home.name}-sources-visits"
    visits = sources / "visits.csv"
    lines = visits.read_text("utf-8").splitlines()
    visits.write_text("\n".join([*lines, lines[-1]]) + "\n", "utf-8")
    home = Home(gateway.home)
    Deliveries(home, Storage.open(home.database)).register(sources / "visits.yaml")


def proved(gateway: Gateway, answer: Answer, tmp_path: Path, manifest: Path) -> str:
    """What `sluis receipt verify` says of a release, beside an export of the record."""
    (tmp_path / "release").write_bytes(answer.body)
    export = gateway.ask("GET", "/v1/audit/export", key="auditor").body
    (tmp_path / "export").write_bytes(export)
    public = sluis("audit", "key", "--home", str(gateway.home)).stdout.strip()
    words = ("--manifest", str(manifest), "--public-key", public)
    told = sluis(
        "receipt", "verify", str(tmp_path / "release"), *words, "--audit", str(tmp_path / "export")
    )
    return told.stdout + told.stderr


@pytest.mark.parametrize("moment", [None, datetime(2026, 3, 1, 12, 5, tzinfo=UTC)])
@pytest.mark.parametrize("price", [Price(5, 7), Price(1, 0, 9), Price(9, 1, None, ((3, 4), (2,)))])
def test_terms_are_read_as_they_were_written(price: Price, moment: datetime | None) -> None:
    terms = Terms(price, moment)
    assert read(terms.written()) == terms
    assert json.loads(terms.written()).keys() == {"moment", "price"}


@pytest.mark.slow
def test_it_is_run_of_the_delivery_that_it_was_charged_for(own: Gateway, tmp_path: Path) -> None:
    """Its receipt verifies; asked another time, the question is one of the newer delivery."""
    query = failed(own, COUNT)
    manifest = tmp_path / "home-sources-visits" / "visits.yaml"
    before = manifest.read_bytes()
    registered(own)
    assert redeem(own, query["id"]).status == 201
    quoted = {"sql": COUNT, "budget_share": "1%"}
    loss = own.ask("POST", "/v1/projects/p/quotes", quoted).json["privacy_loss"]
    assert loss["rho"] == "0"
    spent = own.budget()["spent"]["rho"]
    answer = own.query(COUNT)
    assert (answer.status, answer.json["id"]) == (201, query["id"])
    assert own.budget()["spent"]["rho"] == spent
    assert manifest.read_bytes() == before
    assert proved(own, answer, tmp_path, manifest) == "yes\n"
    anew = own.query(COUNT)
    assert anew.json["replayed"] is False
    assert anew.json["delivery"] != answer.json["delivery"]
    assert sluis("ledger", "verify", SLUIS_HOME=str(own.home)).returncode == 0


def test_it_is_run_at_the_price_that_was_paid(own: Gateway, tmp_path: Path) -> None:
    """A share of what was left is less by now, and the digest of a last stage names its inputs."""
    query = failed(own, STAGES, remaining_share="2%")
    own.query(remaining_share="30%")
    assert redeem(own, query["id"]).status == 201
    answer = own.query(STAGES, remaining_share="2%")
    assert (answer.status, answer.json["id"]) == (201, query["id"])
    assert answer.json["privacy_loss"] == query["privacy_loss"]
    manifest = tmp_path / "home-sources-visits" / "visits.yaml"
    assert proved(own, answer, tmp_path, manifest) == "yes\n"


@pytest.mark.slow
def test_it_is_run_at_the_moment_that_it_was_charged_at(own: Gateway, tmp_path: Path) -> None:
    """A minute later `now()` still is what it was; asked another time it is what it is."""
    query = failed(own, TIMED)
    time.sleep(61)
    assert redeem(own, query["id"]).status == 201
    answer = own.query(TIMED)
    assert (answer.status, answer.json["id"]) == (201, query["id"])
    moment = answer.json["receipt"]["statement"]["moment"]
    assert 60 <= (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() < 240
    manifest = tmp_path / "home-sources-visits" / "visits.yaml"
    assert proved(own, answer, tmp_path, manifest) == "yes\n"
    anew = own.query(TIMED).json
    assert anew["replayed"] is False
    assert anew["receipt"]["statement"]["moment"] > moment


def test_a_delivery_is_kept_as_long_as_it_may_be_read_once_more(own: Gateway) -> None:
    query = failed(own, COUNT)
    delivery = file_of(own).parent.name
    registered(own)
    storage = Storage.open(Home(own.home).database)
    try:
        ledger = Ledger(storage)
        (old,) = (
            one.id for one in Registry(storage).deliveries() if str(one.directory) == delivery
        )
        assert not ledger.in_use(old)
        redeem(own, query["id"])
        assert ledger.in_use(old)
        assert own.query(COUNT).status == 201
        assert not ledger.in_use(old)
    finally:
        storage.close()


def test_what_is_not_kept_is_not_redeemed(own: Gateway) -> None:
    """Nothing has changed then: the query stays faulted, and its question is asked anew."""
    query = failed(own, COUNT)
    delivery = file_of(own).parent
    registered(own)
    shutil.rmtree(delivery)
    refused = redeem(own, query["id"])
    assert (refused.status, refused.code) == (409, "delivery-gone")
    (shown,) = own.ask("GET", "/v1/projects/p/queries").json["queries"]
    assert shown["state"] == "faulted"
    assert own.query(COUNT).json["replayed"] is False


def test_what_goes_after_it_was_redeemed_is_told_once(own: Gateway) -> None:
    query = failed(own, COUNT)
    delivery = file_of(own).parent
    registered(own)
    assert redeem(own, query["id"]).status == 201
    shutil.rmtree(delivery)
    assert own.query(COUNT).code == "delivery-gone"
    answer = own.query(COUNT)
    assert (answer.status, answer.json["id"] == query["id"]) == (201, False)
    assert sluis("ledger", "verify", SLUIS_HOME=str(own.home)).returncode == 0
