"""Storage: one database for accounts, charges, queries, projects, members, keys and deliveries."""

from budgets.storage.store import Place, Storage

__all__ = ["Place", "Storage"]
