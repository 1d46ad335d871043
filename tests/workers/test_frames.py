"""Frames arrive whole or not at all, and never cost more than they bring."""

from __future__ import annotations

import resource
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.workers.frames import HEADER, LARGEST, BrokenFrame, LateFrame, receive, send


@given(st.lists(st.binary(max_size=5000), max_size=5))
def test_frames_arrive_in_order_and_unchanged(bodies: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for body in bodies:
            send(ours, body)
        assert [receive(theirs) for _ in bodies] == bodies


def test_a_frame_larger_than_the_socket_arrives() -> None:
    ours, theirs = socket.socketpair()
    body = bytes(range(256)) * 40_000
    with ours, theirs:
        sender = threading.Thread(target=send, args=(ours, body))
        sender.start()
        assert receive(theirs, time.monotonic() + 30) == body
        sender.join()


@pytest.mark.parametrize("sent", [b"", b"\x00\x00", HEADER.pack(5) + b"four"])
def test_a_frame_that_breaks_off_is_broken(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(sent)
        ours.close()
        with pytest.raises(BrokenFrame):
            receive(theirs)


def test_a_frame_that_is_too_long_is_refused_both_ways() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HEADER.pack(LARGEST + 1))
        with pytest.raises(BrokenFrame):
            receive(theirs)
        with pytest.raises(BrokenFrame):
            send(ours, bytes(LARGEST + 1))


def test_a_promise_of_bytes_takes_no_memory() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HEADER.pack(LARGEST))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(LateFrame):
            receive(theirs, time.monotonic() + 0.05)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST // 2048


def test_a_deadline_ends_both_waiting_and_sending() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(LateFrame):
            receive(theirs, time.monotonic() - 1)
        with pytest.raises(LateFrame):
            send(ours, bytes(50_000_000), time.monotonic() + 0.05)
