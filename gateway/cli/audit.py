"""`sluis audit`: the record for supervisors: taken away, checked, and signed for."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.output import REFUSED, emit, home_option, json_option, refusals_told

if TYPE_CHECKING:
    from gateway.audit.verifying import Verdict

key_option = click.option(
    "--public-key", "keys", required=True, multiple=True,
    help="The gateway's public key, or a file that holds it; more than once for several gateways.",
)  # fmt: skip


@click.group()
def audit() -> None:
    """The record of everything that was done and charged."""


@audit.command()
@home_option
@json_option
@refusals_told
def key(home: str | None, as_json: bool) -> None:
    """Print the public key by which all that this home signs can be checked."""
    from gateway.audit.succession import signer
    from gateway.cli.local import opened

    with opened(home) as local:
        public = signer(local.home, local.storage).public
    emit({"public_key": public}) if as_json else click.echo(public)


@audit.command()
@home_option
@json_option
@refusals_told
def rotate(home: str | None, as_json: bool) -> None:
    """Make a new signing key, and have both sign for that; no server may run on the home.

    Whoever was given the old key can check what the new one signs, by an export. The new key is
    printed, to be given to auditors all the same.
    """
    from gateway.audit.succession import rotate as replaced
    from gateway.cli.local import opened

    with opened(home) as local:
        old, public = replaced(local.home, local.storage, local.record)
    said = {"public_key": public, "follows": old}
    emit(said) if as_json else click.echo(public)


@audit.command()
@home_option
@json_option
@refusals_told
def checkpoint(home: str | None, as_json: bool) -> None:
    """Sign for how long every chain is now and where it ends, and print that as one line.

    Keep it where the office cannot take it back: `sluis audit verify --checkpoint` finds out by it
    what was forgotten or altered since.
    """
    from budgets.chain import canonical
    from gateway.audit.checkpoints import Checkpoints
    from gateway.audit.succession import signer
    from gateway.cli.local import opened

    with opened(home) as local:
        taken = Checkpoints(local.home, local.storage, signer(local.home, local.storage)).now()
    emit(taken.document()) if as_json else click.echo(canonical(taken.document()))


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--without-texts", is_flag=True, help="Leave out the text of questions.")
@home_option
@json_option
@refusals_told
def export(file: str, without_texts: bool, home: str | None, as_json: bool) -> None:
    """Write every line of every chain to FILE (-: standard output), signed as a whole.

    Questions are there with their text, so that every access can be judged; without it their
    hashes remain, and the export can be checked all the same.
    """
    from gateway.audit.exporting import lines
    from gateway.audit.succession import signer
    from gateway.cli.local import opened
    from gateway.record import Deed

    last = "{}"
    with opened(home) as local, click.open_file(file, "w", encoding="ascii") as out:
        local.record.told(Deed.AUDIT_EXPORTED, texts="no" if without_texts else "yes")
        found = lines(
            local.home, local.storage, signer(local.home, local.storage), texts=not without_texts
        )
        for last in found:
            out.write(last + "\n")
    if file == "-":
        return
    told = json.loads(last)["statement"]
    if as_json:
        emit(told)
    else:
        click.echo(f"{told['lines']} lines, SHA-256 {told['sha256']}, signed.")


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@key_option
@click.option(
    "--checkpoint", "kept", multiple=True, type=click.Path(exists=True, dir_okay=False),
    help="A file of checkpoints that were kept elsewhere.",
)  # fmt: skip
@json_option
@refusals_told
def verify(file: str, keys: tuple[str, ...], kept: tuple[str, ...], as_json: bool) -> None:
    """Recompute all of an export, with nothing but a public key; say what was altered."""
    from gateway.audit.checkpoints import read_all
    from gateway.audit.signing import public_key
    from gateway.audit.verifying import verify as verified

    known = [public_key(one) for one in keys]
    texts = [Path(one).read_text("utf-8") for one in kept]
    found = [one for text in texts for one in read_all(text.splitlines())]
    with Path(file).open("rb") as lines:
        verdict = verified(lines, known, found)
    emit(_plain(verdict)) if as_json else _tell(verdict)
    sys.exit(0 if verdict.intact else REFUSED)


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        "intact": verdict.intact,
        "at": _moment(verdict),
        "chains": {
            name: {"entries": one.length, "head": one.head} for name, one in verdict.chains.items()
        },
        "accounts": dict(verdict.accounts),
        "questions": verdict.questions,
        "checkpoints": verdict.checkpoints,
        "findings": list(verdict.findings),
    }


def _tell(verdict: Verdict) -> None:
    click.echo(f"{'intact' if verdict.intact else 'ALTERED'}, as of {_moment(verdict)}")
    for name, one in verdict.chains.items():
        click.echo(f"  {name}: {one.length} entries, head {one.head}")
    click.echo(f"  {verdict.questions} questions, {verdict.checkpoints} checkpoints")
    for sentence in verdict.findings:
        click.echo(f"  {sentence}")


def _moment(verdict: Verdict) -> str | None:
    from datetime import UTC, datetime

    if verdict.at is None:
        return None
    return datetime.fromtimestamp(verdict.at / 10**6, UTC).isoformat(timespec="seconds")
