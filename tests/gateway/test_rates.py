"""Rates: a key's bucket is one for all gateways, on both databases, and it is a bucket."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budgets.storage import Storage
from gateway.rates import ADDRESSES, DEAR, FAILURES, MINUTE, Failures, Rates
from gateway.refusals import RateLimited
from tests.gateway.running import COUNT, Answer, Gateway, make_home, running
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


class Counted:
    """A storage whose steps are counted."""

    def __init__(self, storage: Storage) -> None:
        self._storage, self.acts = storage, 0

    def act(self, *step: Any) -> Any:
        self.acts += 1
        return self._storage.act(*step)


def allowed(rates: Rates, key: str, tokens: int = 1, own: int | None = None) -> bool:
    try:
        rates.take(key, tokens, own)
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


def test_most_requests_of_a_busy_key_commit_nothing(two: tuple[Storage, Storage]) -> None:
    clock, commits = Clock(), Counted(two[0])
    rates = Rates(commits, 1200, clock)  # type: ignore[arg-type]
    for _ in range(200):
        rates.take("busy")
        clock.now += 100_000
    assert commits.acts <= 20
    for _ in range(20):
        rates.take("seldom")
        clock.now += 5_000_000
    assert commits.acts <= 40


def test_what_is_refused_is_refused_without_a_commit(two: tuple[Storage, Storage]) -> None:
    clock, commits = Clock(), Counted(two[0])
    rates = Rates(commits, 300, clock)  # type: ignore[arg-type]
    while allowed(rates, "flood"):
        pass
    known = commits.acts
    assert not any(allowed(rates, "flood") for _ in range(1000))
    assert commits.acts == known
    clock.now += MINUTE // 300
    assert allowed(rates, "flood")


def test_a_key_has_a_rate_of_its_own(two: tuple[Storage, Storage]) -> None:
    clock = Clock()
    rates = Rates(two[0], 0, clock)
    assert rates.take("any") is None
    assert sum(allowed(rates, "own", own=7) for _ in range(20)) == 7
    low = Rates(two[0], 5, clock)
    assert sum(allowed(low, "higher", own=400) for _ in range(500)) == 380


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


PAUSES = st.one_of(st.integers(0, 300_000), st.integers(0, 4_000_000))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    limit=st.sampled_from([60, 300, 900]),
    steps=st.lists(st.tuples(PAUSES, st.integers(1, 30), st.booleans()), max_size=20),
)
def test_no_time_gives_more_than_a_bucket_and_what_comes_back(
    two: tuple[Storage, Storage], limit: int, steps: list[tuple[int, int, bool]]
) -> None:
    """The law of a token bucket in every window, over gateways that lease."""
    clock = Clock()
    one, other = (Rates(storage, limit, clock) for storage in two)
    key, passed = f"law {secrets.token_hex(8)}", []
    for pause, burst, first in steps:
        clock.now += pause
        rates = one if first else other
        passed += [clock.now for _ in range(burst * limit // 60) if allowed(rates, key)]
    level, before = 0.0, clock.now
    for moment in passed:
        level = max(0.0, level - max(0, moment - before) * limit / MINUTE) + 1
        before = moment
        assert level <= limit + 0.01


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


HAMMER = """
import json, sys, time
from pathlib import Path
from budgets.storage import Storage
from gateway.rates import Rates
from gateway.refusals import RateLimited

place = sys.argv[1]
rates, passed = Rates(Storage.open(place if "://" in place else Path(place)), 600), []
print("ready", flush=True)
end = float(sys.stdin.readline())
while time.time() < end:
    try:
        rates.take("hammered")
        passed.append(time.time())
    except RateLimited:
        time.sleep(0.002)
print(json.dumps(passed))
"""


@pytest.mark.slow
def test_two_processes_share_one_bucket(two: tuple[Storage, Storage], place: Path | str) -> None:
    """Never above the rate, and no token lost: neither in the burst nor after it."""
    told, pipe = [sys.executable, "-c", HAMMER, str(place)], subprocess.PIPE
    running = [subprocess.Popen(told, stdin=pipe, stdout=pipe) for _ in range(2)]
    ready = [one.stdout.readline() for one in running if one.stdout is not None]
    assert ready == [b"ready\n"] * 2
    for one in running:
        assert one.stdin is not None
        one.stdin.write(b"%f\n" % (time.time() + 4))
        one.stdin.flush()
    found = [json.loads(one.communicate()[0]) for one in running]
    passed = sorted(moment for each in found for moment in each)
    assert all(each for each in found)
    lasted = passed[-1] - passed[0]
    assert 570 + lasted * 8 <= len(passed) <= 600 + lasted * 10 + 1


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Gateway]:
    home = tmp_path / "home"
    with running(home, make_home(home), rate=60) as found:
        yield found


def _remaining(answer: Answer) -> int:
    return int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0])


@pytest.mark.slow
def test_a_server_limits_a_key_and_no_other(limited: Gateway) -> None:
    first = limited.query()
    assert first.status == 201
    left = limited.ask("GET", "/v1/projects")
    assert left.headers["RateLimit-Policy"] == '"key";q=60;w=60'
    assert _remaining(left) in range(60 - DEAR - 1, 60 - DEAR + 9)
    replayed = limited.query()
    assert replayed.json["replayed"]
    assert _remaining(replayed) in range(60 - DEAR - 2, 60 - DEAR + 9)
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
