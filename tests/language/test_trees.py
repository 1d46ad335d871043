"""Syntax trees are walked, copied and compared as wholes."""

from __future__ import annotations

from sqlglot import exp

from queries.language.parse import parse
from queries.language.trees import anew, children, form, walk

TEXT = "SELECT a, COUNT(*) FILTER (WHERE b > -1) AS n FROM t AS x JOIN u USING (k) GROUP BY a"


def test_a_copy_is_the_same_tree_of_other_nodes() -> None:
    tree = parse(TEXT)
    copied = anew(tree)
    assert copied.sql() == tree.sql()
    assert not {id(node) for node in walk(copied)} & {id(node) for node in walk(tree)}
    for node in walk(copied)[1:]:
        assert node.parent is not None
        held = node.parent.args[node.arg_key or ""]
        assert (held if node.index is None else held[node.index]) is node


def test_a_copy_may_leave_parts_out() -> None:
    copied = anew(parse(TEXT), but=("joins", "group"))
    assert copied.sql() == "SELECT a, COUNT(*) FILTER(WHERE b > -1) AS n FROM t AS x"


def test_a_walk_meets_every_node_level_after_level() -> None:
    tree = parse(TEXT)
    assert walk(tree) == list(tree.bfs())
    assert children(tree) == [node for node in tree.bfs() if node.parent is tree]


def test_a_form_tells_what_is_said_and_not_where() -> None:
    first, second = parse("SELECT SUM(a) + SUM( a )").find_all(exp.Sum)
    assert form(first) == form(second)
    said = ("SUM(b)", "SUM(A)", "SUM(t.a)", "SUM(DISTINCT a)", "SUM(NULL)", "SUM(FALSE)")
    forms = {form(parse(f"SELECT {one}").expressions[0]) for one in said}
    assert len({*forms, form(first)}) == len(said) + 1
