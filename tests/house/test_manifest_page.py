"""The reference of the manifest names every key that is read, and no other in its tables."""

from __future__ import annotations

import re

import pytest

from queries.catalog import shape
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
KEYS = sorted(
    {
        key
        for kind in vars(shape).values()
        if isinstance(kind, type) and issubclass(kind, shape.Shape)
        for key in kind().fields
    }
)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE


def test_the_tables_name_only_keys_that_are_read() -> None:
    first_cells = re.findall(r"^\| (`.*?`) \|", PAGE, re.MULTILINE)
    named = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}
    assert named <= set(KEYS)


def test_the_example_is_a_valid_manifest() -> None:
    from queries.catalog.reading import parse

    example = PAGE.split("```yaml\n")[1].split("```")[0]
    assert parse(example.encode()).manifest.dataset == "mobility"
