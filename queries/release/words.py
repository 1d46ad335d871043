"""What the gateway's process and a release worker say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from queries.algebra.inputs import Input
from queries.catalog.view import Scope, Tables, Value
from queries.plan.model import Plan
from queries.plan.noisy import InputRows, NoisyStage
from queries.release.answer import Answer

ROWS = "rows"
COMPOSE = "compose"
DESCRIBE = "describe"
GIVE = "give"

DONE = "done"
MANY = "many"
EXPENSIVE = "expensive"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """Rows of a query over public tables, its columns, or what is composed of noisy tables.

    Of them are made the answer, or the inputs of a later stage. `scope` is what there is of the
    public tables; None: all.
    """

    verb: str
    delivery: str
    sql: str = ""
    limit: int = 0
    plan: Plan | None = None
    noisy: tuple[NoisyStage, ...] = ()
    confidence: float = 0.95
    tables: Tables = ()
    inputs: tuple[Input, ...] = ()
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """How it went, in a word, and what came of it."""

    outcome: str
    rows: tuple[tuple[Value, ...], ...] = ()
    answer: Answer | None = None
    columns: tuple[tuple[str, str], ...] = ()
    given: tuple[InputRows, ...] = ()
