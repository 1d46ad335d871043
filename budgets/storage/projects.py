"""Rows of projects, each with whether its dataset is frozen (`stopped`)."""

from __future__ import annotations

from sqlalchemy import Select, select

from budgets.storage.schema import account, project

STANDING: Select = select(project, account.c.frozen.label("stopped")).join(  # type: ignore[type-arg]
    account, (account.c.dataset == project.c.dataset) & account.c.parent.is_(None)
)
