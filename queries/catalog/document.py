"""A YAML file as plain text values, each with its line.

Every scalar stays text: `no`, `1e-7` and `2026-03-01` are typed by the manifest's schema, not by
YAML. What can surprise is refused: anchors and aliases (which can blow up), tags, merge keys,
duplicate keys, several documents, deep nesting, large files and bytes that are not UTF-8. The
file is read as a stream of events, so neither memory nor the stack depends on its nesting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from queries.catalog.faults import ManifestFault, ManifestRefused, Path

MOST_BYTES = 1_000_000
MOST_DEPTH = 12
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """Mappings, lists and text; None stands where a key has no value."""

    root: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest thing above it that stands in the file."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read; `key` is the mapping's key awaiting a value."""

    value: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Turns events into values and notes lines; goes on after a fault, to find the others."""

    root: Any = None
    open: list[_Open] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[ManifestFault] = field(default_factory=list)
    documents: int = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self._fault(line, "a manifest is one YAML document", "remove the second ---")
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._plain(event, line)
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.open.pop()
            case yaml.ScalarEvent():
                self._plain(event, line)
                self._scalar(event, line)
            case yaml.AliasEvent():
                self._fault(line, "an alias (*) is not read", "write the value out")
                self._place("", line)

    def _plain(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            self._fault(line, "an anchor (&) is not read", "write the value out")
        if event.tag is not None:
            self._fault(line, "a tag (!) is not read", "write the value alone")

    def _begin(self, value: dict[str, Any] | list[Any], line: int) -> None:
        if len(self.open) >= MOST_DEPTH:
            raise _refused(line, f"nested deeper than {MOST_DEPTH} levels")
        path = self._place(value, line)
        self.open.append(_Open(value, path))

    def _scalar(self, event: Any, line: int) -> None:
        top = self.open[-1] if self.open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, top.value, event.value, line)
        else:
            missing = event.value == "" and event.style not in ("'", '"', "|", ">")
            self._place(None if missing else event.value, line)

    def _key(self, top: _Open, mapping: dict[str, Any], key: str, line: int) -> None:
        if key == "<<":
            self._fault(line, "a merge key (<<) is not read", "write the keys out")
        if key in mapping:
            first = self.lines[(*top.path, key)]
            self._fault(line, f"the key {key} stands twice", f"it stands on line {first} too")
        else:
            self.lines[(*top.path, key)] = line
        top.key = key

    def _place(self, value: Any, line: int) -> Path:
        """Put a value where it belongs, and say where that is."""
        if not self.open:
            self.root = value
            self.lines[()] = line
            return ()
        top = self.open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            path = (*top.path, len(top.value) - 1)
            self.lines[path] = line
            return path
        if top.key is None:
            raise _refused(line, "a mapping or list is not a key")
        path = (*top.path, top.key)
        top.value.setdefault(top.key, value)
        top.key = None
        return path

    def _fault(self, line: int, message: str, hint: str | None = None) -> None:
        self.faults.append(ManifestFault(line, "", message, hint))


def read_document(text: bytes) -> Document:
    """The values of a YAML file; raises ManifestRefused with every fault of its form."""
    builder = _Builder()
    for event in _events(_decoded(text)):
        builder.take(event)
    if builder.faults:
        raise ManifestRefused(tuple(sorted(builder.faults, key=lambda fault: fault.line)))
    if not isinstance(builder.root, dict):
        raise _refused(1, "a manifest is a mapping", "begin with `dataset: NAME`")
    return Document(builder.root, builder.lines)


def _decoded(text: bytes) -> str:
    if len(text) > MOST_BYTES:
        raise _refused(1, f"a manifest has at most {MOST_BYTES:,} bytes")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise _refused(line, "not UTF-8", "save the file as UTF-8") from None


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _refused(line, f"not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        raise _refused(text.count("\n", 0, at) + 1, "not YAML: a control character") from None


def _refused(line: int, message: str, hint: str | None = None) -> ManifestRefused:
    return ManifestRefused((ManifestFault(line, "", message, hint),))
