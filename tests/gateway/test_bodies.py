"""Bodies: strict JSON or a refusal, whatever the bytes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.bodies import strict_json
from gateway.refusals import MalformedBody

BAD = [
    b"", b"{", b"[]", b"1", b'"x"', b"null", b'{"a": NaN}', b'{"a": Infinity}', b"{'a': 1}",
    b'{"a": 1, "a": 2}', b'\xff\xfe{"a": 1}', b'{"a": "\xe9"}', b'{"a": "\\ud800"}',
    b'{"a": "x\\u0000y"}', b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1.' + b"9" * 500 + b"}",
    b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}", b'{"a": 1} x', b'{"a": 01}',
]  # fmt: skip


@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:20]))
def test_what_is_not_one_plain_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        strict_json(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        assert isinstance(strict_json(body), dict)
    except MalformedBody as refusal:
        assert refusal.code == "malformed-body"


def test_a_price_is_kept_as_it_was_written() -> None:
    found = strict_json(json.dumps({"epsilon": 0.1}).encode())
    assert found["epsilon"] == Decimal("0.1")
    assert isinstance(found["epsilon"], Decimal)
