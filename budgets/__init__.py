"""Budgets: accounts, charges and the ledger that keeps them.

`amounts` stands alone; `loss`, `conversion`, `account`, `charge` and `admission` are pure; `ledger`
and `storage` write. LEDGER.md tells the model, the order of work and what a crash leaves behind.
"""
