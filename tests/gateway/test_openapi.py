"""openapi.yaml is the server's own contract: the same text, valid, described, with stable names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from openapi_spec_validator import validate

from gateway.http import openapi

COMMITTED = Path(__file__).resolve().parents[2] / "openapi.yaml"
OPERATIONS = {
    "askQuery", "listQueries", "getQuery", "quoteQuery", "rehearseQuery",
    "getBudget", "listDatasets", "getDataset",
    "listProjects", "createProject", "getProject", "thawProject", "listAllocations",
    "createAllocation", "createTransfer", "listLimits", "setLimit", "freezeProject",
    "setTerm", "listEarmarks", "createEarmark", "liftEarmark",
    "redeemQuery", "getCeiling", "raiseCeiling", "overcommitCeiling", "freezeDataset",
    "thawDataset",
    "getGrant", "listGrants", "createGrant", "getPresets", "setPresets", "planBudget",
    "listProjectMembers", "addProjectMember", "removeProjectMember",
    "listMembers", "addMember", "listKeys", "createKey", "getKey", "revokeKey",
    "rotateKey", "setKeyRate", "endMember", "bootstrap",
    "getReceipt", "readAudit", "takeCheckpoint", "exportAudit",
    "health", "ready", "contract", "problem",
}  # fmt: skip


def test_the_committed_contract_is_the_servers() -> None:
    """`python -m gateway.http.openapi > openapi.yaml` writes it anew."""
    assert COMMITTED.read_text(encoding="utf-8") == openapi.text()


def test_it_is_valid() -> None:
    validate(yaml.safe_load(openapi.text()))
    assert openapi.document()["openapi"].startswith("3.1")


def test_operations_keep_their_names() -> None:
    found = {
        operation["operationId"]
        for path in openapi.document()["paths"].values()
        for method, operation in path.items()
        if method in openapi.METHODS
    }
    assert found == OPERATIONS


def test_every_schema_and_every_property_is_described() -> None:
    schemas: dict[str, Any] = openapi.document()["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, inner in schema.get("properties", {}).items()
        if "description" not in inner and "$ref" not in inner and name != "Problem"
    ]
    assert not bare
