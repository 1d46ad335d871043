"""Rates: a key's bucket is one for all gateways, on both databases, and it is a bucket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets.storage import Storage
from gateway.rates import ADDRESSES, DEAR, FAILURES, MINUTE, Failures, Rates
from gateway.refusals import RateLimited
from tests.gateway.running import COUNT, Gateway, make_home, running
from tests.postgres import running_server


class Clock:
    """Microseconds that pass when they are told to."""

    now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]
)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path | str]:
    if request.param == "sqlite":
        yield tmp_path_factory.mktemp("rates") / "sluis.db"
        return
    with running_server() as server:
        yield server.create()


@pytest.fixture(scope="module")
def two(place: Path | str) -> Iterator[tuple[Storage, Storage]]:
    """The same database, opened by two gateways."""
    opened = Storage.migrated(place), Storage.migrated(place)
    yield opened
    for storage in opened:
        storage.close()


def allowed(rates: Rates, key: str, tokens: int = 1) -> bool:
    try:
        rates.take(key, tokens)
    except RateLimited:
        return False
    return True


def test_two_gateways_share_one_bucket(two: tuple[Storage, Storage]) -> None:
    clock = Clock()
    one, other = (Rates(storage, 40, clock) for storage in two)
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(allowed, rates, "shared") for rates in (one, other) * 40]
        given_out = sum(job.result() for job in jobs)
    assert given_out == 40
    clock.now += MINUTE // 40
    assert [allowed(one, "shared"), allowed(other, "shared")] == [True, False]
    assert allowed(other, "another key")


def test_it_says_what_is_left_and_when_to_come_back(two: tuple[Storage, Storage]) -> None:
    clock = Clock()
    rates = Rates(two[0], 30, clock)
    standing = rates.take("told")
    assert standing is not None
    assert standing.headers == {
        "RateLimit-Policy": '"key";q=30;w=60',
        "RateLimit": '"key";r=29;t=2',
    }
    for _ in range(29):
        rates.take("told")
    with pytest.raises(RateLimited) as caught:
        rates.take("told")
    assert caught.value.again == 2
    clock.now += caught.value.again * 1_000_000
    assert allowed(rates, "told")


def test_a_charged_query_counts_as_ten_even_where_they_are_not_there(
    two: tuple[Storage, Storage],
) -> None:
    clock = Clock()
    rates = Rates(two[0], 20, clock)
    rates.take("dear")
    rates.charged("dear")
    assert rates.take("dear").remaining == 20 - DEAR - 1  # type: ignore[union-attr]
    for _ in range(9):
        rates.take("dear")
    rates.charged("dear")
    clock.now += 8 * MINUTE // 20
    assert not allowed(rates, "dear")
    clock.now += 2 * MINUTE // 20
    assert allowed(rates, "dear")


def test_a_clock_that_is_behind_gives_no_more(two: tuple[Storage, Storage]) -> None:
    ahead, behind = Clock(), Clock()
    ahead.now += MINUTE // 2
    fast, slow = Rates(two[0], 10, ahead), Rates(two[1], 10, behind)
    assert sum(allowed(fast, "skewed") for _ in range(11)) == 10
    assert not allowed(slow, "skewed")


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 4_000_000), st.integers(1, 12)), max_size=40))
def test_no_minute_gives_more_than_two_buckets(
    two: tuple[Storage, Storage], steps: list[tuple[int, int]]
) -> None:
    """What a bucket holds, and what comes back meanwhile: the law of a token bucket."""
    clock = Clock()
    clock.now += int.from_bytes(threading.get_native_id().to_bytes(4, "big"), "big")
    rates, key = Rates(two[0], 60, clock), f"law {id(steps)}"
    began, taken = clock.now, 0
    for pause, tokens in steps:
        clock.now += pause
        taken += tokens if allowed(rates, key, tokens) else 0
        assert taken <= 60 + (clock.now - began) * 60 / MINUTE


def test_failures_are_counted_by_address_in_a_bounded_memory() -> None:
    clock = Clock()
    failures = Failures(clock, most=100)
    for _ in range(FAILURES):
        failures.failed("192.0.2.1")
    with pytest.raises(RateLimited) as caught:
        failures.failed("192.0.2.1")
    assert caught.value.again == 1
    failures.failed("192.0.2.2")
    clock.now += 1_000_000
    failures.failed("192.0.2.1")
    for one in range(1000):
        failures.failed(f"198.51.100.{one}")
    assert len(failures._full) == 100
    assert ADDRESSES >= 100


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Gateway]:
    home = tmp_path / "home"
    with running(home, make_home(home), rate=60) as found:
        yield found


@pytest.mark.slow
def test_a_server_limits_a_key_and_no_other(limited: Gateway) -> None:
    first = limited.query()
    assert first.status == 201
    left = limited.ask("GET", "/v1/projects")
    assert left.headers["RateLimit-Policy"] == '"key";q=60;w=60'
    assert f"r={60 - DEAR - 1};" in left.headers["RateLimit"]
    replayed = limited.query()
    assert replayed.json["replayed"]
    assert f"r={60 - DEAR - 2};" in replayed.headers["RateLimit"]
    answers = [limited.ask("GET", "/v1/projects") for _ in range(60)]
    refused = answers[-1]
    assert (refused.status, refused.code) == (429, "rate-limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert limited.query(COUNT, project="other", key="outsider", budget_share="50%").status == 201


@pytest.mark.slow
def test_a_server_limits_failed_sign_ins_and_no_valid_one(limited: Gateway) -> None:
    codes = [limited.ask("GET", "/v1/projects", key="sluis_wrong").status for _ in range(80)]
    assert set(codes) == {401, 429}
    assert limited.ask("GET", "/v1/projects").status == 200
