"""Audits are tried on both databases."""

from __future__ import annotations

from tests.budgets.conftest import place, places, server

__all__ = ["place", "places", "server"]
