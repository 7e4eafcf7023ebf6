"""`zwerm key`."""

from __future__ import annotations

import os
from pathlib import Path

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import table
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import CommandError


def _id(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Id"])


def _list(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        if parsed.flag("l"):
            for line in table([(row["Id"], row["Name"]) for row in item["Keys"]]):
                session.output.line(line)
        else:
            for row in item["Keys"]:
                session.output.line(row["Name"])


def _renamed(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        more = " with overwriting" if item["Overwrite"] else ""
        session.output.line(f"Key {item['Id']} renamed to {item['Now']}{more}")


def _signed(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Signature"])


def _verified(session: Session, _parsed: Parsed, answer: Answer) -> int:
    valid = False
    for item in answer.items():
        valid = item["SignatureValid"]
        session.output.line("valid" if valid else "not valid")
    return int(not valid)


def _export(session: Session, parsed: Parsed) -> None:
    """Write a secret to a new file that only its owner can read; never over HTTP, never over another file."""
    if not session.client.is_local:
        raise CommandError("a secret key is not sent by the daemon; stop it (`zwerm shutdown`), then export")
    texts, _ = remote.bind(parsed.command.all_arguments(), parsed.arguments, session)
    pem = parsed.options.get("format") == "pem-pkcs8-cleartext"
    target = Path(parsed.options.get("output") or f"{texts[0]}.{'pem' if pem else 'key'}")
    answer = session.call("key/export", texts, parsed.command.sent(parsed.options))
    try:
        data = b"".join(answer.chunks())
    finally:
        answer.close()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    if session.settings.json:
        session.output.json({"Name": texts[0], "Path": str(target)})


def _rotate(session: Session, parsed: Parsed) -> None:
    """Change who the node is; never while it runs as who it was."""
    if not session.client.is_local:
        raise CommandError("the running node has this identity; stop it (`zwerm shutdown`), then rotate the key")
    remote.run(session, parsed)


def _rotated(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"peer identity: {item['ID']}")


COMMANDS = (
    CliCommand(
        "key gen",
        rpc="key/gen",
        text=_id,
        examples=(
            Example("key gen blog", "Make a key, show its ID."),
            Example("key gen --type=rsa old", "Make an RSA key."),
        ),
    ),
    CliCommand(
        "key list",
        rpc="key/list",
        text=_list,
        examples=(Example("key list -l", "List the keys with their IDs."),),
    ),
    CliCommand("key ls", rpc="key/ls", text=_list, hidden=True, examples=(Example("key ls -l", "As `key list`."),)),
    CliCommand(
        "key rotate",
        rpc="key/rotate",
        run=_rotate,
        text=_rotated,
        details="The node gets a new key and with it a new ID. Versions signed with the old key stay valid. No daemon "
        "may run.",
        examples=(Example("key rotate --oldkey before-2027", "Change the node's ID, keep the old key."),),
    ),
    CliCommand(
        "key rename",
        rpc="key/rename",
        text=_renamed,
        examples=(Example("key rename blog journal", "Give a key another name."),),
    ),
    CliCommand("key rm", rpc="key/rm", text=_list, examples=(Example("key rm blog", "Forget a key, for ever."),)),
    CliCommand(
        "key export",
        rpc="key/export",
        run=_export,
        details="The file holds the secret itself, unencrypted: whoever has it signs in this name. No daemon may run.",
        examples=(Example("key export -o blog.key blog", "Write a key to a file, for another machine."),),
    ),
    CliCommand(
        "key import",
        rpc="key/import",
        text=_id,
        examples=(Example("key import blog blog.key", "Keep a key that was exported, here or by Kubo."),),
    ),
    CliCommand(
        "key sign",
        rpc="key/sign",
        text=_signed,
        examples=(Example("key sign -k blog letter.txt", "Print a signature of a file."),),
    ),
    CliCommand(
        "key verify",
        rpc="key/verify",
        text=_verified,
        examples=(Example("key verify -k ID -s SIGNATURE letter.txt", "Say whether somebody signed a file."),),
    ),
)
