"""Refusals of the release engine. It holds public and released values only, so it may explain."""

from __future__ import annotations

from queries.language.refusals import QueryRefused


class QueryTooExpensive(QueryRefused):
    """What is computed from public or released values takes too long or too much memory."""

    code = "query-too-expensive"
    way_out = "Ask for fewer rows, or join and sort less."

    def __init__(self) -> None:
        super().__init__("The computation over public or released values is too expensive.")


class NotComputable(QueryRefused):
    """An expression over public or released values fails on one of them."""

    code = "not-computable"
    way_out = "Guard divisions with NULLIF and conversions with TRY_CAST."

    def __init__(self) -> None:
        super().__init__("An expression fails on a public or released value.")
