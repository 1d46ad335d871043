"""Frames: messages of bounded size over a socket between a pool and its workers.

A frame is a length (four bytes, big-endian) and that many bytes. An empty frame is a fault: it
carries nothing, so it can reveal nothing.
"""

from __future__ import annotations

import socket
import struct
import time

HEADER = struct.Struct(">I")
LARGEST = 1 << 27
"""No frame is longer than 128 MiB, whoever sends it."""


class BrokenFrame(Exception):
    """The other side hung up, took too long or does not keep to the form."""


class LateFrame(BrokenFrame):
    """The deadline passed before the frame was complete."""


def send(channel: socket.socket, body: bytes, deadline: float | None = None) -> None:
    """Sends one frame before `deadline`, a value of `time.monotonic()`."""
    if len(body) > LARGEST:
        raise BrokenFrame("the frame is too long")
    _wait_until(channel, deadline)
    try:
        channel.sendall(HEADER.pack(len(body)) + body)
    except TimeoutError:
        raise LateFrame("the deadline has passed") from None
    except OSError:
        raise BrokenFrame("the other side hung up") from None


def receive(channel: socket.socket, deadline: float | None = None) -> bytes:
    """The next frame, complete before `deadline`, a value of `time.monotonic()`."""
    (length,) = HEADER.unpack(_exactly(channel, HEADER.size, deadline))
    if length > LARGEST:
        raise BrokenFrame("the frame is too long")
    return _exactly(channel, length, deadline)


def _exactly(channel: socket.socket, length: int, deadline: float | None) -> bytes:
    """That many bytes. The buffer grows as bytes arrive, never by what a header promises."""
    held = bytearray()
    while len(held) < length:
        _wait_until(channel, deadline)
        try:
            part = channel.recv(min(length - len(held), 1 << 20))
        except TimeoutError:
            raise LateFrame("the deadline has passed") from None
        except OSError:
            raise BrokenFrame("the other side hung up") from None
        if not part:
            raise BrokenFrame("the other side hung up")
        held += part
    return bytes(held)


def _wait_until(channel: socket.socket, deadline: float | None) -> None:
    if deadline is None:
        channel.settimeout(None)
        return
    left = deadline - time.monotonic()
    if left <= 0:
        raise LateFrame("the deadline has passed")
    channel.settimeout(left)
