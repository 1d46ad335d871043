"""Requests that are no HTTP: refused as problem documents before our own code is reached."""

from __future__ import annotations

import json
import socket

import pytest

from tests.gateway.running import Gateway

BROKEN = {
    b"GET /v1/datasets\x01 HTTP/1.1\r\nHost: a\r\n\r\n": 400,
    b"NONSENSE\r\n\r\n": 400,
    b"POST /v1/projects/p/queries HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n": 400,
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n": 400,
    b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n": 414,
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n": 431,
}


@pytest.mark.parametrize("request_bytes", BROKEN, ids=lambda sent: str(sent[:24]))
def test_what_cannot_be_read_is_told_as_a_problem(gateway: Gateway, request_bytes: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as wire:
        wire.sendall(request_bytes)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    problem = json.loads(body)
    assert head.split()[1] == str(BROKEN[request_bytes]).encode()
    assert b"application/problem+json" in head
    assert problem["status"] == BROKEN[request_bytes]
    assert problem["type"] == f"/problems/{problem['code']}"
    assert b"gunicorn" not in answer.lower()
    assert "aaaa" not in body.decode()
