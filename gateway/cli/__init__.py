"""The command line: `sluis`. What a command needs is imported when it runs, so help is quick.

Exit codes: 0 done; 1 refused, or a problem was found; 2 wrong usage; 3 the gateway cannot be
reached; 4 a fault after a charge.
"""

from __future__ import annotations

import click

from gateway.cli.asking import budget, history, query, quote, rehearse
from gateway.cli.audit import audit
from gateway.cli.backups import backup, restore
from gateway.cli.ceilings import dataset
from gateway.cli.demo import demo
from gateway.cli.doctor import doctor
from gateway.cli.entering import bootstrap
from gateway.cli.grants import grant
from gateway.cli.keys import key
from gateway.cli.ledger import ledger
from gateway.cli.members import member
from gateway.cli.provision import plan
from gateway.cli.receipts import receipt
from gateway.cli.serving import serve
from gateway.cli.terms import project


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sluis")
def main() -> None:
    """A differential-privacy SQL gateway: SQL in, a private answer out."""


for command in (
    dataset, project, grant, key, member, serve, query, quote, rehearse, budget, history, demo,
    doctor, ledger, audit, receipt, bootstrap, backup, restore,
):  # fmt: skip
    main.add_command(command)
budget.add_command(plan)
