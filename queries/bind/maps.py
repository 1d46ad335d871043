"""Maps and lists among released values: what is read of them, by a constant key or as a whole."""

from __future__ import annotations

from sqlglot import exp

NAMED = frozenset({"cardinality", "map_values", "map_extract_value", "map"})
"""Functions of maps that never fail; `by_text` writes the last two."""


def is_keyed(node: exp.Bracket) -> bool:
    """Whether an element is asked for by one constant."""
    if {name for name, value in node.args.items() if value} - {"offset"} != {"this", "expressions"}:
        return False
    key = node.expressions[0]
    inner = key.this if isinstance(key, exp.Neg | exp.Cast) else key
    return len(node.expressions) == 1 and isinstance(inner, exp.Literal | exp.Boolean)


def is_sought(value: exp.Expr) -> bool:
    """Whether a list may be looked through for a value: a bare text might fail to be converted."""
    bare = value.unnest()
    inner = bare.this if isinstance(bare, exp.Neg) else bare
    if isinstance(bare, exp.Cast):
        return isinstance(bare.this, exp.Literal)
    number = isinstance(inner, exp.Literal) and not inner.is_string
    return number or isinstance(bare, exp.Column | exp.Boolean)


def by_text(node: exp.Bracket) -> exp.Expr:
    """An element by a text, its map's keys read as texts: no key can fail to convert."""
    texts = exp.DataType.build("VARCHAR[]", dialect="duckdb")
    keys = exp.TryCast(this=exp.MapKeys(this=node.this.copy()), to=texts)
    values = exp.Anonymous(this="map_values", expressions=[node.this.copy()])
    made = exp.Anonymous(this="map", expressions=[keys, values])
    return exp.Anonymous(this="map_extract_value", expressions=[made, node.expressions[0].copy()])
