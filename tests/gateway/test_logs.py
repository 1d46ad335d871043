"""The log holds no SQL, no literal, no value, no key, no duration."""

from __future__ import annotations

import logging

from gateway import logs
from tests.gateway.running import Gateway


def test_lines_are_json_and_hold_nothing_of_a_question(gateway: Gateway) -> None:
    sql = "SELECT COUNT(*) AS secretname FROM visits WHERE note = 'secretvalue' AND cost < 98.76"
    assert gateway.query(sql).status == 201
    gateway.query("SELECT secretcolumn FROM visits")
    gateway.ask("GET", "/v1/projects/secretproject/secretpath")
    lines = gateway.log()
    text = (gateway.home / "serve.log").read_text()
    assert {"request", "refused", "ready"} <= {line["event"] for line in lines}
    for word in ("secret", "SELECT", "98.76", "cost", gateway.keys["analyst"]):
        assert word not in text
    told = {name for line in lines for name in line}
    assert not {name for name in told if "time" in name or "duration" in name} - {"timestamp"}


def test_libraries_are_named_and_not_quoted() -> None:
    import io

    stream = io.StringIO()
    logs.configure("info", stream)
    logging.getLogger("some.library").error("value %s of a row", "4711")
    assert "some.library" in stream.getvalue()
    assert "4711" not in stream.getvalue()
