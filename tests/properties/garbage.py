"""Texts that are no questions: broken, spliced and nested statements, tokens at random."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

FIXTURES = Path(__file__).parent.parent / "fixtures"
FEATURES = Path(__file__).parent.parent / "bind" / "features"
PIECE = re.compile(r"\s+|[A-Za-z_]\w*|\d+\.?\d*|'[^']*'|[<>=!]+|.", re.DOTALL)
TEXT = """
SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET QUALIFY WITH RECURSIVE AS ON USING JOIN
LEFT RIGHT FULL OUTER INNER CROSS NATURAL SEMI ANTI ASOF LATERAL UNION ALL INTERSECT EXCEPT
DISTINCT CASE WHEN THEN ELSE END CAST TRY_CAST NULL TRUE FALSE NOT AND OR IN IS LIKE ILIKE
BETWEEN EXISTS ANY SOME INTERVAL DATE TIMESTAMP OVER PARTITION ROWS RANGE PRECEDING FOLLOWING
CURRENT ROW UNBOUNDED FILTER WITHIN ROLLUP CUBE GROUPING SETS PIVOT UNPIVOT VALUES TABLESAMPLE
COUNT SUM AVG MIN MAX MEDIAN QUANTILE_CONT STDDEV CORR MODE COALESCE NULLIF EXTRACT EPOCH
UNNEST LIST STRUCT MAP ARRAY COLUMNS EXCLUDE REPLACE COLLATE ESCAPE AT TIME ZONE PRAGMA COPY
ATTACH SET RESET CALL INSERT DELETE UPDATE CREATE DROP EXPLAIN DESCRIBE SUMMARIZE
"""
WORDS = TEXT.split()
SIGNS = [*"()[]{},;.*+-/%^&|~<>=!?:@#$\"'`\\", "::", "||", "->", "->>", "=>", "**", "--", "/*"]
KINDS = {
    re.compile(r"[A-Za-z_]\w*"): (
        "COUNT",
        "SUM",
        "abs",
        "DISTINCT",
        "NULL",
        "NOT",
        "ALL",
        "median",
    ),
    re.compile(r"\d+\.?\d*"): ("0", "1", "1.5", "99999999999", "1e308"),
    re.compile(r"'[^']*'"): ("''", "'2013-02-29'", "'a%_'", "DATE '2013-01-01'"),
    re.compile(r"[-+*/%<>=!|,]+"): ("-", "/", "%", "<>", "//", "||", "IS NOT DISTINCT FROM", ","),
}
"""Pieces that can stand for each other, and more of each kind."""
ODD = ["\x00", "\u202e", "\ud800", "é", "𝒳", "\xa0", "\t", "\r", "0x1F", "1e999", "9" * 40, "''"]


def statements(tables: Iterable[str]) -> list[str]:
    """Every statement of the fixtures that names one of the tables, as the stuff to break."""
    files = [*FIXTURES.glob("*/*.sql"), *FEATURES.glob("*.sql")]
    files = [path for path in files if path.stem != "query-too-expensive"]  # it would be, often
    texts = [path.read_text(encoding="utf-8") for path in sorted(files)]
    parts = [part for text in texts for part in re.split(r";\s*\n|\n\s*\n", text)]
    bare = ("\n".join(s for s in p.splitlines() if not s.startswith("--")) for p in parts)
    named = re.compile(rf"\b({'|'.join(tables)})\b")
    return [part.strip() for part in bare if named.search(part)]


def text(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    """One text; the same dice give the same."""
    make = dice.choices(MAKERS, weights=(40, 25, 10, 10, 5, 8, 2))[0]
    return make(dice, known, names)[: dice.choice((200, 2_000, 17_000))]


def _bent(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    """A statement with words, numbers and operators exchanged for others of their kind."""
    pieces = PIECE.findall(dice.choice(known)) or ["SELECT"]
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(pieces))
        kind = next((kind for kind in KINDS if kind.fullmatch(pieces[at])), None)
        if kind is not None:
            alike = [piece for piece in pieces if kind.fullmatch(piece)]
            pieces[at] = dice.choice((*alike, *KINDS[kind], dice.choice(names)))
    return "".join(pieces)


def _broken(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    """A statement with a few pieces dropped, doubled, swapped or replaced."""
    pieces = PIECE.findall(dice.choice(known)) or ["SELECT"]
    for _ in range(dice.randint(1, 4)):
        at, other = dice.randrange(len(pieces)), dice.randrange(len(pieces))
        match dice.randrange(5):
            case 0:
                pieces[at] = ""
            case 1:
                pieces[at] += " " + pieces[at]
            case 2:
                pieces[at], pieces[other] = pieces[other], pieces[at]
            case 3:
                pieces[at] = _piece(dice, names)
            case _:
                pieces.insert(at, f" {_piece(dice, names)} ")
    return "".join(pieces)


def _spliced(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    """The head of one statement with the tail of another."""
    head, tail = dice.choice(known), dice.choice(known)
    return head[: dice.randrange(len(head) + 1)] + " " + tail[dice.randrange(len(tail) + 1) :]


def _soup(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    return " ".join(_piece(dice, names) for _ in range(dice.choice((3, 10, 40, 400))))


def _noise(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    return "".join(chr(dice.choice((dice.randrange(32, 127), dice.randrange(1, 0x3000))))
                   for _ in range(dice.choice((1, 20, 300))))  # fmt: skip


def _nested(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    """A statement inside itself, or one of its pieces inside brackets, many times."""
    depth = dice.choice((2, 5, 24, 60, 500))
    inner, name = dice.choice(known), dice.choice(names)
    left, right = dice.choice((
        ("(", ")"), ("NOT ", ""), ("-", ""), ("abs(", ")"), ("CASE WHEN ", " THEN 1 END"),
        ("SELECT * FROM (", f") AS {name}"), ("(SELECT COUNT(*) FROM (", ") AS q)"),
        (f"{name} + ", ""), (f"{name} IN (SELECT ", ")"), ("EXISTS (", ")"), ("[", "]"),
    ))  # fmt: skip
    start = dice.choice(("", "SELECT ", f"SELECT * FROM {name} WHERE "))
    return start + left * depth + dice.choice((inner, name, "1")) + right * depth


def _repeated(dice: random.Random, known: Sequence[str], names: Sequence[str]) -> str:
    piece = f"{_piece(dice, names)} {_piece(dice, names)} "
    return dice.choice(known) + " " + piece * dice.choice((10, 100, 2_000))


def _piece(dice: random.Random, names: Sequence[str]) -> str:
    pool = dice.choices((WORDS, SIGNS, names, ODD, ("1", "2.5", "'a'")), weights=(8, 5, 5, 1, 3))[0]
    return dice.choice(pool)


MAKERS = (_bent, _broken, _spliced, _soup, _noise, _nested, _repeated)
