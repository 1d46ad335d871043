"""The tables, and what the database itself refuses.

The ledger writes `account`, `entry`, `charge`, `stage`, `query`, `release`, `standing`, and of
`dataset` and `project` the row and the columns `frozen`, `locked` and `faults`. Members, keys,
grants, deliveries and the record of acts (`act`) are the gateway's. Entries and acts are only ever
added. Order is kept by sequences, never by clocks.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from budgets.storage.columns import (
    DIGEST,
    NAME,
    Moment,
    Sequence64,
    amounts,
    bounds,
    one_of,
    partial,
)
from budgets.storage.columns import metadata as metadata
from budgets.storage.deliveries import charge_reads as charge_reads
from budgets.storage.deliveries import delivery as delivery
from budgets.storage.deliveries import delivery_source as delivery_source

dataset = Table(
    "dataset",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("unit", NAME, nullable=False, server_default=""),
    Column("manifest_hash", DIGEST),
    Column("created", Moment, nullable=False),
    Column("blocks", Text, comment="the rule that cuts it into blocks; null: it has none"),
)

project = Table(
    "project",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("dataset", NAME, ForeignKey("dataset.name"), nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("created", Moment, nullable=False),
    Column("frozen", Boolean, nullable=False, server_default=false()),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column(
        "locked",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="frozen by an administrator: its members have no access either",
    ),
    Column("presets", Text, comment="JSON: the share of the allocation that each preset costs"),
    CheckConstraint("faults >= 0", name="faults_counted"),
)

account = Table(
    "account",
    metadata,
    Column("id", Sequence64, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("owner", NAME, nullable=False, comment="'' or the name of what it belongs to"),
    Column("name", NAME, nullable=False),
    Column("dataset", NAME, ForeignKey("dataset.name"), nullable=False),
    Column("parent", ForeignKey("account.id")),
    Column("epsilon", BigInteger, nullable=False),
    Column("delta", BigInteger, nullable=False),
    *amounts("cap"),
    *amounts("allocated"),
    *amounts("reserved"),
    *amounts("spent"),
    Column("head", DIGEST, comment="of the chain; on the dataset's account alone"),
    Column("length", BigInteger, nullable=False, server_default="0"),
    Column("frozen", Boolean, nullable=False, server_default=false(), comment="of a dataset"),
    Column(
        "overcommit",
        Integer,
        nullable=False,
        server_default="100",
        comment="per cent of its capacity that may be promised",
    ),
    Column("expires", Moment, comment="when a project's allocation ends; null: it does not"),
    Column("latest", Moment, comment="the greatest time in the chain; on the dataset's account"),
    UniqueConstraint("kind", "owner", "name", name="account_named_once"),
    CheckConstraint("(parent IS NULL) = (head IS NOT NULL)", name="head_on_root"),
    one_of("kind", "dataset", "block", "project", "analyst", "earmark"),
    *bounds(
        "within: reserved_{0} + spent_{0} + "
        "CASE WHEN kind = 'project' THEN allocated_{0} ELSE 0 END <= cap_{0}",
        "promised: allocated_{0} <= cap_{0} OR overcommit > 100",
        "signs: allocated_{0} >= 0 AND reserved_{0} >= 0 AND spent_{0} >= 0",
    ),
)

query = Table(
    "query",
    metadata,
    Column("number", Sequence64, primary_key=True),
    Column("id", NAME, nullable=False, unique=True),
    Column("project", NAME, ForeignKey("project.name"), nullable=False),
    Column("member", NAME, nullable=False),
    Column("key", NAME, comment="of a retry: the member, a colon, what it chose"),
    Column("digest", DIGEST, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),
    Column("created", Moment, nullable=False),
    Column("incident", NAME),
    Column("due", Moment, comment="when it stops waiting, or its slot ends; a public fact"),
    Column("refusal", Text, comment="why a queued query was not charged; null while it waits"),
    Column("redeems", BigInteger, comment="the failed charge under which it may run once more"),
    UniqueConstraint("project", "key", name="query_key_used_once"),
    partial(
        "query_redeemed", "project", "digest", where="state = 'queued' AND redeems IS NOT NULL"
    ),
    Index("query_of_project", "project", "number"),
    partial("query_waiting", "due", where="state = 'queued' AND refusal IS NULL"),
    one_of("state", "queued", "running", "released", "faulted"),
)

release = Table(
    "release",
    metadata,
    Column("query", ForeignKey("query.number"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

charge = Table(
    "charge",
    metadata,
    Column("id", Sequence64, primary_key=True),
    Column("query", ForeignKey("query.number"), nullable=False),
    Column("delivery", NAME, ForeignKey("delivery.id")),
    Column("state", String(20), nullable=False),
    Column("deadline", Moment, nullable=False),
    Column("rho", BigInteger, nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("epsilon", BigInteger),
    Column("holder", String(32), comment="a random word that only the call that reserved knows"),
    Column("terms", Text, comment="under which its plan was made, to be made once more"),
    partial("charge_of_query", "query", where="state <> 'void'", unique=True),
    partial("charge_open", "deadline", "delivery", where="state = 'reserved'"),
    one_of("state", "reserved", "settled", "void", "faulted", "lost"),
)

standing = Table(
    "standing",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beats", BigInteger, nullable=False, comment="counted up to see that commits succeed"),
    Column("moved", Text, comment="where the ledger lives now; null: here"),
    CheckConstraint("id = 1", name="standing_once"),
)

stage = Table(
    "stage",
    metadata,
    Column("id", Sequence64, primary_key=True),
    Column("project", NAME, ForeignKey("project.name"), nullable=False),
    Column("digest", NAME, nullable=False),
    Column("charge", ForeignKey("charge.id"), nullable=False),
    Column("scales", Text, nullable=False),
    Column("family", Text, nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("state", String(20), nullable=False),
    Column("document", LargeBinary),
    Column("mechanisms", Text, nullable=False, server_default="[]", comment="every draw"),
    Column("partial", Boolean, nullable=False, server_default=false(), comment="see StageClaim"),
    Index("stage_of_charge", "charge"),
    Index("stage_known", "project", "digest"),
    partial("stage_in_flight", "project", "digest", where="state = 'reserved'", unique=True),
    one_of("state", "reserved", "settled", "void", "faulted", "lost"),
    CheckConstraint("(state = 'settled') = (document IS NOT NULL)", name="stored_when_settled"),
)

entry = Table(
    "entry",
    metadata,
    Column("dataset", NAME, ForeignKey("dataset.name"), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event", String(20), nullable=False),
    Column("account", ForeignKey("account.id"), nullable=False),
    Column("charge", ForeignKey("charge.id")),
    Column("rho", BigInteger, nullable=False),
    Column("delta", BigInteger, nullable=False),
    Column("epsilon", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("hash", DIGEST, nullable=False),
    Index("entry_of_charge", "charge"),
)

act = Table(
    "act",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("by", NAME, nullable=False),
    Column("key", NAME),
    Column("act", String(40), nullable=False),
    Column("project", NAME),
    Column("outcome", String(60), nullable=False),
    Column("about", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("hash", DIGEST, nullable=False),
    Index("act_of_project", "project", "number"),
)

bucket = Table(
    "bucket",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("full", BigInteger, nullable=False, comment="when it is full again; see rates.py"),
)

member = Table(
    "member",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created", Moment, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("id", Sequence64, primary_key=True),
    Column("member", NAME, ForeignKey("member.id"), nullable=False),
    Column("project", NAME, ForeignKey("project.name"), comment="null: a role overall"),
    Column("role", String(20), nullable=False),
    Column("created", Moment, nullable=False),
    partial(
        "membership_in_project",
        "member",
        "project",
        "role",
        where="project IS NOT NULL",
        unique=True,
    ),
    partial("membership_overall", "member", "role", where="project IS NULL", unique=True),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", NAME, primary_key=True),
    Column("member", NAME, ForeignKey("member.id"), nullable=False),
    Column("prefix", String(20), nullable=False),
    Column("hash", DIGEST, nullable=False, unique=True, info={"secret": True}),
    Column("project", NAME, ForeignKey("project.name"), comment="null: wherever the member may"),
    Column("role", String(20), nullable=False),
    Column("created", Moment, nullable=False),
    Column("expires", Moment),
    Column("revoked", Moment),
    Column("scopes", Text, comment="what it is held to, words with commas; null: nothing"),
    Column("used", Moment, comment="told some minutes late"),
    Column("follows", NAME, comment="the key that it replaces"),
    Column("rate", Integer, comment="requests a minute; null: as the house has it"),
    Column("bucket", NAME, comment="the key with which its rate is counted; null: itself"),
    Index("api_key_of_member", "member"),
    Index("api_key_follows", "follows", unique=True),
)

bootstrap = Table(
    "bootstrap",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("hash", DIGEST, nullable=False, info={"secret": True}),
    Column("created", Moment, nullable=False),
    Column("used", Moment),
    CheckConstraint("id = 1", name="bootstrap_once"),
)

project_grant = Table(
    "project_grant",
    metadata,
    Column("number", Sequence64, primary_key=True),
    Column("project", NAME, ForeignKey("project.name"), nullable=False),
    Column("tables", Text, nullable=False, comment="JSON: tables with their columns; null: all"),
    Column("by", NAME, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("grant_of_project", "project", "number"),
)
