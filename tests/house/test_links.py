"""Links between our pages lead somewhere."""

from __future__ import annotations

import re

import pytest

from tests.house.tree import ROOT, listed

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGES = [one for one in listed() if one.endswith(".md")]


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = [one for one in LINK.findall(path.read_text(encoding="utf-8")) if ":" not in one]
    broken = [one for one in targets if not _exists(page, one)]
    assert not broken


def _exists(page: str, target: str) -> bool:
    name, _, anchor = target.partition("#")
    path = (ROOT / page).parent / name if name else ROOT / page
    if not path.exists():
        return False
    return not anchor or anchor in _anchors(path.read_text(encoding="utf-8"))


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}


def test_every_page_of_the_docs_is_reached_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    codes = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    pages = {one.removeprefix("docs/") for one in PAGES if one.startswith("docs/")}
    assert {one for one in pages if f"({one}" not in index + codes} == {"index.md"}


def test_decisions_are_numbered_and_whole() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        found = re.findall(r"^## (\w+)$", text, re.MULTILINE)
        assert found == ["Context", "Choice", "Price"], page.name
        assert text.count("\n") <= 60, f"{page.name} is longer than a page"
