"""Every fault of a manifest is found, all at once, on its own line.

A faulty manifest marks its lines itself: `# ! words ! more words` says which faults are expected
there; lines without a mark must have none.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.catalog.document import MOST_BYTES
from queries.catalog.faults import ManifestRefused
from queries.catalog.reading import parse

FAULTY = Path(__file__).parent.parent / "fixtures" / "manifests" / "faulty"


def expected(text: str) -> dict[int, list[str]]:
    """The words each line is expected to be at fault for."""
    marks = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if "# ! " in line:
            marks[number] = line.partition("# ! ")[2].split(" ! ")
    return marks


@pytest.mark.parametrize("path", sorted(FAULTY.glob("*.yaml")), ids=lambda path: path.stem)
def test_all_faults_are_told_with_their_lines(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    with pytest.raises(ManifestRefused) as refused:
        parse(text.encode())
    found: dict[int, list[str]] = {}
    for fault in refused.value.faults:
        found.setdefault(fault.line, []).append(str(fault))
    marks = expected(text)
    assert found.keys() == marks.keys(), str(refused.value)
    for line, words in marks.items():
        for part in words:
            assert any(part in fault for fault in found[line]), (part, found[line])
        assert len(found[line]) == len(words), found[line]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"a: b\n" * (MOST_BYTES // 5 + 1), "at most 1,000,000 bytes"),
        (b"", "a manifest is a mapping"),
        (b"a: \x01", "not YAML"),
        (b"? [a]\n: b", "not a key"),
        (b"[" * 900_000, "nested deeper"),
        (b"a: &a [x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n", "alias"),
    ],
    ids=["utf-8", "long", "empty", "control", "key", "brackets", "laughs"],
)
def test_what_is_no_document_is_refused(text: bytes, words: str) -> None:
    with pytest.raises(ManifestRefused, match=words):
        parse(text)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_no_bytes_do_worse_than_being_refused(text: bytes) -> None:
    with pytest.raises(ManifestRefused):
        parse(text)


LINES = (FAULTY.parent / "nycflights13.yaml").read_text(encoding="utf-8").split("\n")


@given(
    place=st.integers(0, len(LINES) - 1),
    other=st.sampled_from(["", "  x: y", "]", "- a", "key: [lower]", "\tx", "tables: 3", "? !"]),
)
def test_a_damaged_manifest_is_read_or_refused_on_lines_that_exist(place: int, other: str) -> None:
    text = "\n".join([*LINES[:place], other, *LINES[place + 1 :]])
    try:
        parse(text.encode())
    except ManifestRefused as refused:
        assert all(1 <= fault.line <= len(LINES) + 1 for fault in refused.faults)
