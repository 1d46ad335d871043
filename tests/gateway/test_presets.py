"""Prices in words: shares of the allocation that a project sets for itself."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from gateway.presets import Preset, Presets, checked, read
from gateway.refusals import Invalid
from tests.gateway.running import Gateway, make_home, running
from tests.gateway.test_cli import client, sluis

PATH = "/v1/projects/p/presets"
SETTINGS = {"rough": "0.5%", "normal": "1%", "precise": "4%", "reason": "as agreed"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("presets") / "home"
    with running(home, make_home(home), request_share="0.5") as found:
        yield found


def quote(gateway: Gateway, **price: str) -> dict[str, Any]:
    body = {"sql": "SELECT COUNT(*) AS n FROM visits", **price}
    answer = gateway.ask("POST", "/v1/projects/p/quotes", body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def test_a_preset_is_a_share_that_the_lead_sets(gateway: Gateway) -> None:
    assert gateway.ask("GET", PATH).json == {"rough": "0.2%", "normal": "1%", "precise": "5%"}
    for preset, share in (("rough", "0.2%"), ("normal", "1%"), ("precise", "5%")):
        told = quote(gateway, preset=preset)["privacy_loss"]
        assert told == quote(gateway, budget_share=share)["privacy_loss"]
    set_ = gateway.ask("PUT", PATH, SETTINGS, "lead")
    assert (set_.status, set_.json["rough"]) == (200, "0.5%")
    told = quote(gateway, preset="rough")["privacy_loss"]
    assert told == quote(gateway, budget_share="0.5%")["privacy_loss"]


def test_a_question_that_is_sent_again_after_a_change_is_the_same(gateway: Gateway) -> None:
    sent = {"Idempotency-Key": "once"}
    first = gateway.query(preset="normal", headers=sent)
    assert first.status == 201, first.body
    assert gateway.ask("PUT", PATH, {**SETTINGS, "normal": "3%"}, "lead").status == 200
    assert gateway.query(preset="normal", headers=sent).json["id"] == first.json["id"]


def test_an_analyst_sets_none(gateway: Gateway) -> None:
    assert gateway.ask("PUT", PATH, SETTINGS).code == "not-permitted"
    assert gateway.ask("PUT", PATH, SETTINGS, "outsider").code == "not-found"


def test_presets_ascend_and_stay_below_what_one_question_may_cost(gateway: Gateway) -> None:
    for wrong in ({"rough": "2%"}, {"precise": "100%"}, {"normal": "0%"}, {"rough": "1"}):
        answer = gateway.ask("PUT", PATH, {**SETTINGS, **wrong}, "lead")
        assert answer.code == "invalid-request", wrong
    with pytest.raises(Invalid):
        checked(Presets(precise=Fraction(1, 2)), Fraction(1, 10))


@pytest.mark.slow
def test_the_command_line_asks_at_them_and_sets_them(gateway: Gateway) -> None:
    home = str(gateway.home)
    words = ("project", "presets", "p", "--home", home, "--rough")
    shown = sluis(*words, "0.7%", "--reason", "agreed")
    assert "0.7%" in shown.stdout, shown.stderr
    assert sluis(*words, "7", "--reason", "agreed").returncode == 2
    assert sluis(*words, "0.8%").returncode == 2
    words = ("quote", "--project", "p", "--preset", "rough", "SELECT COUNT(*) FROM visits")
    asked = sluis(*words, **client(gateway))
    assert "Costs 0.7%" in asked.stdout, asked.stderr


def test_what_was_stored_is_read() -> None:
    assert read(None) == Presets()
    assert read('{"rough": "1/1000", "normal": "1/50", "precise": "1/9"}').share(
        Preset.NORMAL
    ) == Fraction(1, 50)
