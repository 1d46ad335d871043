"""The tree as text: the files, syntax and imports of our three packages, none of them executed."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gateway", "budgets", "queries")
CLASS = re.compile(r"^ *class (?P<name>\w+)(?:\((?P<bases>[^)]*)\))?:", re.MULTILINE)
BASE = re.compile(r"\w+(?=\s*[,\[]|\s*$)")


@cache
def sources() -> tuple[Path, ...]:
    """Every Python file that goes into the wheel."""
    found = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return tuple(sorted(found))


@cache
def suites() -> tuple[Path, ...]:
    """Every Python file of the tests."""
    return tuple(sorted((ROOT / "tests").rglob("*.py")))


@cache
def syntax(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def where(path: Path, node: ast.AST | None = None) -> str:
    """A place for people: the path from the root, with the line where one is known."""
    line = getattr(node, "lineno", None)
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def module(path: Path) -> str:
    """The dotted name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Our modules by dotted name."""
    return {module(path): path for path in sources()}


@cache
def imports(name: str) -> frozenset[str]:
    """All that a module imports, anywhere in it, as full dotted names (of modules or of names)."""
    path = modules()[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return frozenset(
        target for node in ast.walk(syntax(path)) for target in _targets(node, package)
    )


def _targets(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        above = package.rsplit(".", node.level - 1)[0] if node.level else ""
        base = ".".join(part for part in (above, node.module or "") if part)
        yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    """Whether a dotted name is that package or stands below it."""
    return name == package or name.startswith(package + ".")


def owner(target: str) -> str | None:
    """Our module that holds an imported name, or None when the name is not ours."""
    while target:
        if target in modules():
            return target
        target = target.rpartition(".")[0]
    return None


@cache
def reached(start: str) -> frozenset[str]:
    """Our modules that are executed when `start` is imported, packages on the way included."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        parent = name.rpartition(".")[0]
        found = {owner(target) for target in imports(name)} | {parent}
        waiting.extend(one for one in found if one is not None and one in modules())
    return frozenset(seen)


@cache
def classes() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """Every class of ours: its module, its name and those it is made from.

    Read off its heading, which the formatter keeps in one form: each test process asks for these
    when it collects, and the syntax of the whole tree would take it seconds.
    """
    return tuple(
        (name, found["name"], frozenset(BASE.findall(found["bases"] or "")))
        for name, path in modules().items()
        for found in CLASS.finditer(path.read_text(encoding="utf-8"))
    )


def descendants(root: str) -> list[tuple[str, str]]:
    """Module and name of each class below the class named `root`."""
    below = {root}
    while True:
        found = sorted((place, name) for place, name, bases in classes() if bases & below)
        if {name for _, name in found} <= below:
            return found
        below |= {name for _, name in found}


@cache
def listed() -> tuple[str, ...]:
    """Every file of the repository that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(line for line in answer.stdout.splitlines() if (ROOT / line).exists())
