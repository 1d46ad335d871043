"""Faults as callers hear of them: a constant sentence and an incident id, whatever happened."""

from __future__ import annotations

from collections.abc import Mapping


class QueryFaulted(Exception):
    """The query was charged and could not be completed; the charge stays."""

    code = "fault"
    message = (
        "The query was charged and could not be completed. The charge stays; the incident id tells "
        "the operator where to look."
    )

    def __init__(self, incident: str) -> None:
        super().__init__(self.message)
        self.members: Mapping[str, object] = {"incident": incident}


class AnswerLost(QueryFaulted):
    """The query was charged and answered, but the answer could not be stored, so it is lost."""

    code = "answer-lost"
    message = (
        "The query was charged, and its answer could not be stored. The charge stays and the "
        "answer is lost; the incident id tells the operator where to look."
    )
