"""The forms a syntax node may take: an argument that no case reads is refused, never ignored.

A parser may hang a modifier on a node it shares with the plain form (`NOT LIKE` is a LIKE with a
flag), so what each node may carry is listed here, and anything else that is set is a refusal.
"""

from __future__ import annotations

from sqlglot import exp

from queries.language.parse import place
from queries.language.refusals import AcrossUnits, UnsupportedSql

PLAIN = frozenset({"this", "expression", "expressions"})
COMBINED = PLAIN | {"distinct", "with_", "order", "limit", "offset"}
FORMS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Table: frozenset({"this", "alias", "db", "catalog"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Unnest: frozenset({"expressions", "alias"}),
    exp.Subquery: frozenset({"this", "alias", "with_"}),
    exp.Join: frozenset({"this", "on", "using", "side", "kind", "method"}),
    exp.Union: COMBINED,
    exp.Intersect: COMBINED,
    exp.Except: COMBINED,
    exp.CTE: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table", "db"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Like: PLAIN | {"negate"},
    exp.ILike: PLAIN | {"negate"},
    exp.Between: frozenset({"this", "low", "high"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.If: frozenset({"this", "true", "false"}),
    exp.Count: PLAIN | {"big_int"},
    exp.Quantile: PLAIN | {"quantile"},
    exp.ApproxQuantile: PLAIN | {"quantile"},
    exp.Div: PLAIN | {"typed", "safe"},
    exp.DPipe: PLAIN | {"safe"},
    exp.Concat: PLAIN | {"safe", "coalesce"},
    exp.Least: PLAIN | {"ignore_nulls"},
    exp.Greatest: PLAIN | {"ignore_nulls"},
    exp.DateDiff: PLAIN | {"unit", "date_part_boundary"},
    exp.TimestampTrunc: PLAIN | {"unit"},
    exp.DateTrunc: PLAIN | {"unit"},
    exp.Interval: PLAIN | {"unit"},
    exp.Round: PLAIN | {"decimals"},
    exp.Substring: frozenset({"this", "start", "length"}),
    exp.Trim: PLAIN | {"position", "collation"},
    exp.Cast: frozenset({"this", "to"}),
    exp.TryCast: frozenset({"this", "to", "safe"}),
    exp.Trunc: PLAIN | {"decimals"},
    exp.AtTimeZone: frozenset({"this", "zone"}),
    exp.TimeToStr: frozenset({"this", "format"}),
    exp.StrToTime: frozenset({"this", "format"}),
    exp.DateFromParts: frozenset({"year", "month", "day"}),
    exp.WidthBucket: frozenset({"this", "min_value", "max_value", "num_buckets"}),
    exp.ConcatWs: PLAIN | {"safe", "coalesce"},
    exp.Replace: PLAIN | {"replacement"},
    exp.Translate: frozenset({"this", "from_", "to"}),
    exp.SplitPart: frozenset({"this", "delimiter", "part_index"}),
    exp.StrPosition: frozenset({"this", "substr"}),
    exp.Pad: PLAIN | {"fill_pattern", "is_left"},
    exp.RegexpLike: PLAIN | {"flag"},
    exp.RegexpFullMatch: PLAIN | {"options"},
    exp.RegexpExtract: PLAIN | {"group", "parameters", "null_if_pos_overflow"},
    exp.RegexpReplace: PLAIN | {"replacement", "modifiers", "single_replace"},
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.Lateral: frozenset({"this", "alias"}),
    exp.WindowSpec: frozenset({"kind", "start", "start_side", "end", "end_side"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Lag: PLAIN | {"offset", "default"},
    exp.Lead: PLAIN | {"offset", "default"},
    exp.NthValue: PLAIN | {"offset"},
    exp.DataType: frozenset({"this", "expressions", "nested"}),
}


def check(node: exp.Expr) -> None:
    """Refuse a node that carries an argument which its case does not read."""
    allowed = FORMS.get(type(node), PLAIN)
    for name, value in node.args.items():
        if value and name == "sample":
            raise sampled(node)
        if value and name not in allowed:
            raise UnsupportedSql(
                f"This form of {node.key.upper()} is not answered.", position=place(node)
            )


def sampled(node: exp.Expr) -> AcrossUnits:
    """Why a sample is refused: its coins are thrown by row, and seen by no accountant."""
    return AcrossUnits(
        "A sample would let chance choose among persons.",
        position=place(node),
        hint="Leave it out: all rows cost no more. For some rows of each person number them.",
    )
