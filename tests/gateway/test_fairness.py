"""The fair queue: one project cannot keep the others from asking, nor can two of them together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fairness import LITTLE, LONG, FairQueue, Room, Span
from gateway.refusals import Busy, Stopping, Withdrawn

HEAVY = Span(16.0, fixed=True)
LIGHT = Span(1.0, fixed=True)


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as made:
        yield made


class Holder:
    """Somebody in a queue, who keeps its turn until told to leave."""

    def __init__(
        self, pool: ThreadPoolExecutor, queue: FairQueue, project: str, span: Span = HEAVY
    ) -> None:
        self.inside, self.leave = threading.Event(), threading.Event()
        self.job: Future[None] = pool.submit(self._hold, queue, project, span)

    def _hold(self, queue: FairQueue, project: str, span: Span) -> None:
        with queue.turn(project, span):
            self.inside.set()
            self.leave.wait(20)

    def done(self) -> None:
        self.leave.set()
        self.job.result(20)


def queue_of(workers: int, clock: Callable[[], float] = time.monotonic, **more: float) -> FairQueue:
    chosen = {"each": 4, "most": 8, "patience": 20.0} | more
    return FairQueue(workers, int(chosen["each"]), int(chosen["most"]), chosen["patience"], clock)


def test_a_project_never_gets_the_worker_that_is_kept_for_others(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(2)
    flood = [Holder(pool, queue, "flood") for _ in range(3)]
    assert any(one.inside.wait(5) for one in flood)
    with queue.turn("other", LIGHT):
        assert sum(one.inside.is_set() for one in flood) == 1
    for one in flood:
        one.leave.set()


def test_two_projects_together_do_not_get_it_either(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(2)
    flood = [Holder(pool, queue, name) for name in ("one", "two", "one", "two")]
    time.sleep(0.1)
    assert sum(one.inside.is_set() for one in flood) == 1
    with queue.turn("third", LIGHT):
        pass
    for one in flood:
        one.leave.set()


def test_dear_public_questions_wait_for_the_workers_that_are_not_kept(
    pool: ThreadPoolExecutor,
) -> None:
    queue = queue_of(2)
    dear = [Holder(pool, queue, name, Span(LONG)) for name in ("one", "two")]
    time.sleep(0.1)
    assert sum(one.inside.is_set() for one in dear) == 1
    with queue.turn("third", Span()):
        pass
    for one in dear:
        one.leave.set()


def test_a_turn_of_unknown_length_counts_as_long_as_it_takes() -> None:
    clock = Clock()
    queue = queue_of(2, clock)
    with queue.turn("p", Span()), queue.turn("q", Span()):
        clock.now += LITTLE + 1
    with queue.turn("busy", HEAVY), queue.turn("new", Span()):
        pass
    with queue.turn("busy", HEAVY):
        assert_waits(queue, "p", Span())
    clock.now += 120
    with queue.turn("busy", HEAVY), queue.turn("p", Span()):
        pass


def assert_waits(queue: FairQueue, project: str, span: Span) -> None:
    """No turn is given at once, and so none until another one ends."""
    with pytest.raises(Withdrawn), queue.turn(project, span, lambda: False):
        pass


def test_little_is_counted_over_a_minute() -> None:
    clock = Clock()
    queue = queue_of(2, clock)
    with queue.turn("heavy", HEAVY):
        for _ in range(int(LITTLE)):
            with queue.turn("p", LIGHT):
                clock.now += 1
        assert_waits(queue, "p", LIGHT)
        clock.now += 61
        with queue.turn("p", LIGHT):
            pass


@pytest.mark.slow
def test_one_worker_alone_is_kept_for_nobody(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1)
    with queue.turn("p", HEAVY):
        pass
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    second = Holder(pool, queue, "p")
    third = Holder(pool, queue, "other", LIGHT)
    time.sleep(0.1)
    first.done()
    assert third.inside.wait(5) or second.inside.is_set()
    second.leave.set()
    third.done()


def test_projects_take_turns(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1, each=8, most=20)
    order: list[str] = []
    guard = threading.Lock()

    def ask(project: str) -> None:
        with queue.turn(project, HEAVY), guard:
            order.append(project)

    with queue.turn("first", HEAVY):
        jobs = [pool.submit(ask, "flood") for _ in range(6)]
        time.sleep(0.1)
        jobs += [pool.submit(ask, "other"), pool.submit(ask, "third")]
        time.sleep(0.1)
    for job in jobs:
        job.result(10)
    assert set(order[:3]) == {"flood", "other", "third"}
    assert order[3:] == ["flood"] * 5


def test_so_many_may_wait_and_the_next_is_told_when_to_come_back(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1, each=2, most=3)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    held = [Holder(pool, queue, name) for name in ("p", "p")]
    time.sleep(0.1)
    with pytest.raises(Busy) as caught, queue.turn("p", HEAVY):
        pass
    assert caught.value.again == 3 * 16
    held.append(Holder(pool, queue, "q"))
    time.sleep(0.1)
    with pytest.raises(Busy), queue.turn("third", LIGHT):
        pass
    for one in (first, *held):
        one.leave.set()
    for one in (first, *held):
        one.job.result(10)
    with queue.turn("p", HEAVY):
        pass


def test_patience_ends(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1, patience=0.3)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    with pytest.raises(Busy) as caught, queue.turn("q", LIGHT):
        pass
    assert 1 <= caught.value.again <= 17
    first.done()


def test_who_leaves_makes_room(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1, each=1)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    with pytest.raises(Withdrawn), queue.turn("p", LIGHT, lambda: False):
        pass
    second = Holder(pool, queue, "p")
    first.done()
    assert second.inside.wait(5)
    second.done()


def test_a_stopped_queue_gives_no_turn_and_takes_none(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    second = Holder(pool, queue, "q")
    time.sleep(0.05)
    queue.stop()
    with pytest.raises(Stopping):
        second.job.result(5)
    assert not first.job.done()
    first.done()
    with pytest.raises(Stopping), queue.turn("p", LIGHT):
        pass


def test_what_is_owed_takes_its_turn_and_is_never_sent_away(pool: ThreadPoolExecutor) -> None:
    queue = queue_of(1, each=1, most=1, patience=0.1)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    order: list[str] = []

    def compose(project: str) -> None:
        with queue.owed(project, Span()):
            order.append(project)

    jobs = [pool.submit(compose, name) for name in ("p", "p", "q")]
    time.sleep(0.3)
    with pytest.raises(Busy), queue.turn("p", LIGHT):
        pass
    assert order == []
    queue.stop()
    jobs.append(pool.submit(compose, "third"))
    first.done()
    for job in jobs:
        job.result(10)
    assert order[0] == "p"
    assert sorted(order) == ["p", "p", "q", "third"]


def test_what_a_project_paid_for_comes_before_its_questions_and_not_anothers(
    pool: ThreadPoolExecutor,
) -> None:
    queue = queue_of(1)
    first = Holder(pool, queue, "p")
    assert first.inside.wait(5)
    order: list[str] = []

    def ask(project: str, kind: str) -> None:
        turn = queue.owed if kind == "owed" else queue.turn
        with turn(project, LIGHT):
            order.append(f"{project} {kind}")

    jobs = []
    for word in (("p", "asked"), ("q", "asked"), ("p", "owed"), ("p", "owed")):
        jobs.append(pool.submit(ask, *word))
        time.sleep(0.05)
    first.done()
    for job in jobs:
        job.result(10)
    assert order == ["q asked", "p owed", "p owed", "p asked"] or order == [
        "p owed", "q asked", "p owed", "p asked",
    ]  # fmt: skip


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_a_lone_project_has_all_workers_but_one_for_long_turns(
    pool: ThreadPoolExecutor, workers: int
) -> None:
    queue = queue_of(workers, each=9, most=20)
    flood = [Holder(pool, queue, "flood") for _ in range(workers + 2)]
    time.sleep(0.2)
    assert sum(one.inside.is_set() for one in flood) == workers - 1
    with queue.turn("other", LIGHT):
        pass
    for one in flood:
        one.leave.set()
    for one in flood:
        one.job.result(10)


lengths = st.sampled_from([1.0, 2.0, 4.0, 8.0, 16.0])


@settings(max_examples=150, deadline=None)
@given(
    workers=st.integers(2, 4),
    flood=st.lists(st.tuples(st.integers(0, 2), lengths), min_size=1, max_size=40),
    arrives=st.floats(0, 40),
)
def test_a_small_query_waits_no_longer_than_a_little_for_each_that_floods(
    workers: int, flood: list[tuple[int, float]], arrives: float
) -> None:
    """The bound that is stated: `LITTLE` seconds for each project that floods, whatever it asks."""
    clock = Clock()
    queue = FairQueue(workers, 100, 1000, 1e9, clock)
    waited = simulated(queue, clock, flood, arrives)
    assert waited <= LITTLE * len({project for project, _ in flood})


def simulated(
    queue: FairQueue, clock: Clock, flood: list[tuple[int, float]], arrives: float
) -> float:
    """How long a query of one second waits that arrives amid a flood, with no thread involved."""
    places = [queue._enter(f"flood {one}", Span(length, fixed=True)) for one, length in flood]
    small = None
    while True:
        ends = [one.began + one.length(clock.now) for one in places if working(one)]
        at = min([*ends, *([arrives] if small is None else [])])
        clock.now = max(clock.now, at)
        for one in places:
            if working(one) and one.began + one.length(clock.now) <= clock.now:
                queue._leave(one)
        if small is None and clock.now >= arrives:
            small = queue._enter("small", LIGHT)
        if small is not None and small.given.is_set():
            return small.began - max(arrives, 0.0)


def working(place: object) -> bool:
    return place.given.is_set() and place.ended is None  # type: ignore[attr-defined]


def test_some_threads_are_left_for_others() -> None:
    room = Room(2, 3, lambda: 7)
    with room.one("p"), room.one("p"):
        with pytest.raises(Busy) as caught, room.one("p"):
            pass
        assert caught.value.again == 7
        with room.one("q"), pytest.raises(Busy), room.one("third"):
            pass
    with room.one("p"):
        pass
