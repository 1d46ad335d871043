"""What can be wrong with a database: said plainly to operators, never with its engine's words.

StorageUnusable         the database cannot be used as it is; somebody has to act
    NotAnAddress            the address names no database that is known here
    DriverMissing           PostgreSQL is asked for and its driver is not installed
    NotMigrated             the tables are missing, or those of an earlier version
    NewerSchema             the tables are those of a later version
    NotDurable              a setting of the server lets a commit be lost
    Moved                   the ledger lives in another database now
    NotMoved                a move was refused or did not come out even
StorageBusy             the database cannot be reached, or a lock took too long; try again
    OutcomeUnknown          ... while it was told to commit
"""

from __future__ import annotations


class StorageUnusable(Exception):
    """The database cannot be used as it is; the text says why and `hint` what to do."""

    code = "storage-unusable"
    hint: str | None = None


class NotAnAddress(StorageUnusable):
    """The address of the database names none that is known here; it is not repeated."""

    code = "database-address"
    hint = "Write postgresql://user@host:port/name, or nothing for SQLite in the home."

    def __init__(self) -> None:
        super().__init__("The address of the database cannot be read.")


class DriverMissing(StorageUnusable):
    """PostgreSQL is asked for and its driver is not installed."""

    code = "driver-missing"
    hint = "Install it: pip install 'sluis[postgres]'."

    def __init__(self) -> None:
        super().__init__("The driver of PostgreSQL (psycopg) is not installed.")


class NotMigrated(StorageUnusable):
    """The database has no tables, or those of an earlier version."""

    code = "not-migrated"
    hint = "Stop the gateways that use it, then run: sluis ledger migrate."

    def __init__(self, stands: str | None) -> None:
        at = "is empty" if stands is None else f"stands at revision {stands}"
        super().__init__(f"The database {at}: its tables are not those of this version.")


class NewerSchema(StorageUnusable):
    """The database was migrated by a later version."""

    code = "newer-schema"
    hint = "Install the version that migrated it."

    def __init__(self, stands: str) -> None:
        super().__init__(f"The database stands at revision {stands}, which is not known here.")


class NotDurable(StorageUnusable):
    """The server may lose what it has committed, or it takes no commits at all."""

    code = "not-durable"
    hint = "Let an administrator of the server change that, and connect to the primary."

    def __init__(self, setting: str, value: str) -> None:
        super().__init__(f"PostgreSQL runs with {setting} = {value}: a charge could be lost.")


class Moved(StorageUnusable):
    """The ledger was moved to another database, so nothing is charged in this one any more."""

    code = "ledger-moved"
    hint = "Set SLUIS_DATABASE to where it lives now; this copy can still be read."

    def __init__(self, where: str) -> None:
        super().__init__(f"This ledger was moved to {where}.")


class NotMoved(StorageUnusable):
    """The ledger was not moved, and lives where it lived; the text says what stood in the way."""

    code = "not-moved"
    hint = "Move to an empty database of PostgreSQL; the source was left as it is."


class StorageBusy(Exception):
    """The database cannot be reached or is held up; nothing was changed, so the same may be tried
    again."""

    code = "storage-busy"
    hint = "Try again; with an Idempotency-Key a request is charged once, however often it is sent."

    def __init__(self) -> None:
        super().__init__("The ledger cannot be reached at this moment.")


class OutcomeUnknown(StorageBusy):
    """The connection broke while the database was told to commit: the act may have been done.

    Whoever asks again with the same idempotency key finds out; a charge that nobody holds is lost
    when its deadline has passed, and stays charged.
    """

    code = "outcome-unknown"
    hint = "Look before you repeat it; with an Idempotency-Key the same request is charged once."
