"""Notifications of four half-years in one question: a series, units counted once, who pays."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from budgets.loss import PrivacyLoss
from gateway.access import Role
from gateway.audit.booked import charged
from gateway.audit.proving import prove
from gateway.audit.signing import Signer, public_key
from gateway.grants import give
from queries.catalog.grant import Grant
from tests.gateway.growing import BLOCKS, Growing, data, manifest
from tests.gateway.running import Answer, Gateway, running
from tests.gateway.test_cli import sluis

pytestmark = pytest.mark.slow

SERIES = "SELECT block, COUNT(*) AS n FROM notifications GROUP BY block ORDER BY block"
UNITS = "SELECT COUNT(DISTINCT organisation_id) AS n FROM notifications"
SECTORS = (
    "SELECT o.sector, COUNT(*) AS n FROM notifications n JOIN organisations o "
    "USING (organisation_id) GROUP BY o.sector"
)
ONE_EACH = "SELECT nature, COUNT(*) AS n FROM notifications GROUP BY nature"


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Growing, Gateway]]:
    made = Growing(tmp_path_factory.mktemp("several"))
    for block in BLOCKS:
        made.deliver(block)
    keys = made.populate()
    made.registry.give_role("auditor", Role.AUDITOR, None)
    keys["auditor"] = made.registry.create_key("auditor", Role.AUDITOR, None)[1]
    with running(made.home.root, keys) as gateway:
        yield made, gateway
    made.storage.close()


def ask(gateway: Gateway, sql: str, **more: object) -> Answer:
    answer = gateway.query(sql, **({"budget_share": "2%"} | more))
    assert answer.status == 201, answer.body
    return answer


def paid(made: Growing, before: dict[str, int]) -> dict[str, int]:
    return {block: rho - before[block] for block, rho in made.spent().items()}


def rho(answer: Answer) -> int:
    return round(Fraction(answer.json["privacy_loss"]["rho"]) * 10**12)


def test_a_series_is_one_question_and_each_block_pays_once(
    growing: tuple[Growing, Gateway],
) -> None:
    made, gateway = growing
    before, whole = made.spent(), made.ledger.ceiling("breaches").spent.rho
    body = {"sql": SERIES, "budget_share": "2%", "blocks": "all"}
    quoted = gateway.ask("POST", "/v1/projects/p/quotes", body).json
    answer = ask(gateway, SERIES, blocks="all")
    assert answer.json["blocks"] == list(BLOCKS) == quoted["blocks"]
    assert answer.json["block"] is None is quoted["block"]
    assert [row[0] for row in answer.json["rows"]] == list(BLOCKS)
    assert answer.json["held_back"] == "none"
    assert set(paid(made, before).values()) == {rho(answer)}
    assert made.ledger.ceiling("breaches").spent.rho - whole == rho(answer)
    assert quoted["privacy_loss"]["rho"] == answer.json["privacy_loss"]["rho"]
    file = data() / "notifications.parquet"
    half = "CAST(year(received_on) AS VARCHAR) || IF(month(received_on) > 6, '-H2', '-H1')"
    truth = dict(duckdb.sql(f"SELECT {half}, COUNT(*) FROM '{file}' GROUP BY 1").fetchall())
    for (block, n), low, high in zip(
        answer.json["rows"],
        answer.json["intervals"]["lower"],
        answer.json["intervals"]["upper"],
        strict=True,
    ):
        assert abs(n - truth[block]) <= 3 * (high[1] - low[1]) + 0.05 * truth[block]


def test_units_are_counted_once_over_all_blocks(growing: tuple[Growing, Gateway]) -> None:
    _, gateway = growing
    answer = ask(gateway, UNITS, blocks=[BLOCKS[0], BLOCKS[2]], budget_share="8%")
    file = data() / "notifications.parquet"
    inside = "year(received_on) IN (2024, 2025) AND month(received_on) <= 6"
    (truth,) = duckdb.sql(
        f"SELECT COUNT(DISTINCT organisation_id) FROM '{file}' WHERE {inside}"
    ).fetchall()[0]
    assert answer.json["blocks"] == [BLOCKS[0], BLOCKS[2]]
    assert abs(answer.json["rows"][0][0] - truth) < 60


def test_asking_again_is_free_whatever_the_words(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    first = ask(gateway, SECTORS, blocks=list(BLOCKS))
    before = made.spent()
    for blocks in ("all", f"{BLOCKS[0]}..{BLOCKS[3]}", list(reversed(BLOCKS))):
        again = ask(gateway, SECTORS, blocks=blocks)
        assert again.json["replayed"]
        assert again.json["rows"] == first.json["rows"]
    rolled = gateway.ask(
        "POST",
        "/v1/projects/p/queries",
        {"sql": "SELECT SUM(n) AS n FROM release", "from_release": first.json["id"]},
    )
    assert rolled.status == 201, rolled.body
    assert made.spent() == before
    assert not ask(gateway, SECTORS, block=BLOCKS[0]).json["replayed"], "another question"


def test_where_rows_of_blocks_compete_each_pays_four_times(
    growing: tuple[Growing, Gateway],
) -> None:
    made, gateway = growing
    before, whole = made.spent(), made.ledger.ceiling("breaches").spent.rho
    options = {"bounds": {"groups_per_unit": 1}}
    answer = ask(gateway, ONE_EACH, blocks=list(BLOCKS[:2]), options=options, budget_share="0.5%")
    assert paid(made, before) == dict(zip(BLOCKS, [4 * rho(answer)] * 2 + [0, 0], strict=True))
    assert made.ledger.ceiling("breaches").spent.rho - whole == rho(answer)
    assert any("four times" in line for line in answer.json["plan"])


def test_a_receipt_names_the_blocks_and_can_be_proved(
    growing: tuple[Growing, Gateway], tmp_path: Path
) -> None:
    made, gateway = growing
    text = manifest(made.folder / "sources").read_bytes()
    signer = Signer(made.home)
    keys = [public_key(signer.public)]
    release = ask(gateway, SERIES.replace("COUNT(*)", "SUM(people_affected)"), blocks="all")
    assert release.json["receipt"]["statement"]["blocks"] == list(BLOCKS)
    assert prove(release.json, text, keys) == ()
    export = gateway.ask("GET", "/v1/audit/export", key="auditor").body
    lines = export.splitlines(keepends=True)
    assert charged(release.json["receipt"], lines, keys) == ()
    statement = dict(release.json["receipt"]["statement"])
    fewer = {"statement": statement | {"blocks": list(BLOCKS[:2])}}
    assert charged(fewer, lines, keys) == (
        "The charge was not posted to the blocks that were read.",
    )
    for name, content in (("release", release.body), ("manifest", text), ("export", export)):
        (tmp_path / name).write_bytes(content)
    told = sluis(
        "receipt", "verify", str(tmp_path / "release"), "--manifest", str(tmp_path / "manifest"),
        "--public-key", signer.public, "--audit", str(tmp_path / "export"),
    )  # fmt: skip
    assert told.stdout == "yes\n", told.stdout + told.stderr


def test_a_rehearsal_has_rows_in_all_blocks(growing: tuple[Growing, Gateway]) -> None:
    made, gateway = growing
    before = made.spent()
    body = {"sql": SERIES, "budget_share": "2%", "blocks": f"{BLOCKS[1]}..{BLOCKS[2]}"}
    found = gateway.ask("POST", "/v1/projects/p/rehearsals", body).json
    assert [row[0] for row in found["rows"]] == list(BLOCKS[1:3])
    assert found["blocks"] == list(BLOCKS[1:3])
    assert made.spent() == before


@pytest.mark.parametrize(
    ("blocks", "status", "code"),
    [
        ("2024-H1..2026-H1", 422, "unknown-block"),
        (["2024-H1", "2023-H2"], 422, "unknown-block"),
        ("2025-H1..2024-H1", 422, "unknown-block"),
        ("2024", 422, "unknown-block"),
        ("newest", 422, "invalid-request"),
        ([], 422, "invalid-request"),
        (["2024-H1", 7], 422, "invalid-request"),
        (["2024-H1,2024-H2"], 422, "invalid-request"),
        ({"all": True}, 422, "invalid-request"),
    ],
)
def test_blocks_that_cannot_be_read_are_refused(
    growing: tuple[Growing, Gateway], blocks: object, status: int, code: str
) -> None:
    answer = growing[1].query(SERIES, blocks=blocks)
    assert (answer.status, answer.code) == (status, code)


def test_one_way_to_name_blocks(growing: tuple[Growing, Gateway]) -> None:
    answer = growing[1].query(SERIES, blocks="all", block=BLOCKS[0])
    assert (answer.status, answer.code) == (422, "invalid-request")


def test_a_project_that_sees_some_columns_may_group_by_block(
    growing: tuple[Growing, Gateway],
) -> None:
    made, gateway = growing
    made.ledger.open_project("narrow", "breaches")
    made.ledger.allocate("narrow", Fraction(1, 2), None, "test", "test")
    seen = Grant.of({"notifications": ["organisation_id", "nature"]})
    with made.storage.begin() as tx:
        give(tx, "narrow", seen, "test", "test")
    made.registry.give_role("partner", Role.ANALYST, "narrow")
    gateway.keys["partner"] = made.registry.create_key("partner", Role.ANALYST, "narrow")[1]
    release = ask(gateway, SERIES, blocks="all", project="narrow", key="partner").json
    assert [row[0] for row in release["rows"]] == list(BLOCKS)
    text = manifest(made.folder / "sources").read_bytes()
    assert prove(release, text, [public_key(Signer(made.home).public)]) == ()
    days = SERIES.replace("COUNT(*)", "MAX(received_on)")
    hidden = gateway.query(days, "narrow", key="partner", blocks="all")
    assert hidden.code == "unknown-column"


def test_the_command_line_names_several(growing: tuple[Growing, Gateway]) -> None:
    _, gateway = growing
    given = {"SLUIS_URL": f"http://127.0.0.1:{gateway.port}", "SLUIS_KEY": gateway.keys["analyst"]}
    told = sluis("quote", "--project", "p", "--share", "1%", "--blocks", "all", SERIES, **given)
    assert told.returncode == 0, told.stderr
    assert f"paid in block {', '.join(BLOCKS)}" in told.stdout
    asked = sluis(
        "query", "--project", "p", "--share", "1%", "--blocks", "all", "--json", SERIES,
        **given,
    )  # fmt: skip
    assert json.loads(asked.stdout)["blocks"] == list(BLOCKS)


def test_a_plan_tells_what_each_block_pays(
    growing: tuple[Growing, Gateway], tmp_path: Path
) -> None:
    """To the last digit that is shown, of questions that one block or several are read for."""
    made, gateway = growing
    made.registry.give_role("chief", Role.ADMINISTRATOR, None)
    chief = made.registry.create_key("chief", Role.ADMINISTRATOR, None)[1]
    asks: list[dict[str, Any]] = [
        {"sql": SERIES, "max_error": 9000, "blocks": "all"},
        {"sql": SECTORS, "rho": "0.0003", "blocks": "2024-H2..2025-H1"},
        {"sql": ONE_EACH, "max_error": 6000, "block": BLOCKS[0], "times": 3},
        {"sql": ONE_EACH, "max_error": 5000},
    ]
    path = "/v1/datasets/breaches/budget-plans"
    found = gateway.ask("POST", path, {"questions": asks}, chief).json
    read = [one["blocks"] for one in found["questions"]]
    assert read == [list(BLOCKS), list(BLOCKS[1:3]), [BLOCKS[0]], [BLOCKS[-1]]]
    before = made.spent()
    for ask_ in asks:
        times = ask_.pop("times", 1)
        for _ in range(times):
            body = {**ask_, "options": {"replay": False}}
            key = {"Idempotency-Key": secrets.token_hex(8)}
            answer = gateway.ask("POST", "/v1/projects/p/queries", body, headers=key)
            assert answer.status == 201, answer.body
    standing = {one.name: one for one in made.ledger.blocks("breaches")}
    for one in found["blocks"]:
        paid = made.spent()[one["name"]] - before[one["name"]]
        figure = standing[one["name"]].epsilon_for(PrivacyLoss(paid))
        assert figure <= float(one["epsilon"]) <= 1.001 * figure
        assert one["ceiling"] == "4"
    least = {one["errors"]: one["block_epsilon"] for one in found["allocations"]}
    assert least[1] == max((one["epsilon"] for one in found["blocks"]), key=float)
    assert float(least[0.5]) > float(least[1]) > float(least[2])
    _on_the_command_line(gateway, chief, tmp_path)


def _on_the_command_line(gateway: Gateway, chief: str, folder: Path) -> None:
    file = folder / "asks.yaml"
    file.write_text(f"- sql: {ONE_EACH}\n  rho: 0.3\n  block: {BLOCKS[1]}\n  times: 9\n")
    address = {"SLUIS_URL": f"http://127.0.0.1:{gateway.port}", "SLUIS_KEY": chief}
    told = sluis("budget", "plan", str(file), "--dataset", "breaches", **address)
    assert told.returncode == 0, told.stderr
    assert "a block needs" in told.stdout
    assert f"Mind: block {BLOCKS[1]} does not hold so much" in told.stdout
    assert f"Mind: block {BLOCKS[0]}" not in told.stdout
    both = {"questions": [{"sql": ONE_EACH, "rho": "1", "block": BLOCKS[0], "blocks": "all"}]}
    assert gateway.ask("POST", "/v1/datasets/breaches/budget-plans", both, chief).status == 422
