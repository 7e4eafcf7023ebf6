"""`zwerm name`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.remote import write_chunks
from zwerm.cli.session import Session


def _published(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        if parsed.flag("quieter"):
            session.output.line(item["Name"])
        else:
            session.output.line(f"Published to {item['Name']}: {safe(item['Value'])}")


def _path(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(safe(item["Path"]))


def _inspected(session: Session, _parsed: Parsed, answer: Answer) -> int:
    valid = True
    for item in answer.items():
        entry, found = item["Entry"], item.get("Validation")
        rows = [
            ("Value", entry["Value"]),
            ("Validity Type", "EOL"),
            ("Validity", entry["Validity"]),
            ("Sequence", entry["Sequence"]),
            ("TTL", f"{entry['TTL'] / 1_000_000_000:g}s"),
            ("PublicKey", entry["PublicKey"]),
            ("Signature Type", item["SignatureType"]),
            ("Protobuf Size", item["PbSize"]),
        ]
        if found is not None:
            valid = found["Valid"]
            rows += [("Valid", str(valid).lower()), ("Name", found["Name"])]
            rows += [("Reason", found["Reason"])] if found["Reason"] else []
        for title, value in rows:
            if value != "":
                session.output.line(f"{title + ':':<16}{safe(str(value))}")
        if item["HexDump"]:
            session.output.line("")
            for start in range(0, len(item["HexDump"]), 32):
                session.output.line(f"{start // 2:08x}  {item['HexDump'][start : start + 32]}")
    return int(not valid)


def _put(session: Session, parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        if not parsed.flag("quiet"):
            session.output.line(item["Name"])


def _state(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line("enabled" if item["Enabled"] else "disabled")


def _names(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for name in item["Strings"]:
            session.output.line(name)


def _canceled(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line("canceled" if item["Canceled"] else "no subscription")


COMMANDS = (
    CliCommand(
        "name publish",
        rpc="name/publish",
        text=_published,
        details="A name is a key: only who has the key can say where it points. The node renews what it published for "
        "as long as it runs; without it, others forget the name after `--lifetime`.",
        examples=(
            Example("name publish /site", "Let the node's own name point at one of its folders."),
            Example("name publish --key=blog /ipfs/ADDRESS", "Let the name of the key `blog` point at content."),
        ),
    ),
    CliCommand(
        "name resolve",
        rpc="name/resolve",
        text=_path,
        examples=(
            Example("name resolve", "Show where the node's own name points."),
            Example("name resolve -r example.org", "Show where a domain points."),
        ),
    ),
    CliCommand(
        "name inspect",
        rpc="name/inspect",
        text=_inspected,
        details="Exits with 1 when the record was held against a name and cannot be believed.",
        examples=(
            Example("name inspect --verify=NAME record.ipns-record", "Show what a record says, and whether it holds."),
        ),
    ),
    CliCommand(
        "name get",
        rpc="name/get",
        text=write_chunks,
        examples=(Example("name get NAME > record", "Write the newest signed record of a name."),),
    ),
    CliCommand(
        "name put",
        rpc="name/put",
        text=_put,
        details="The record is checked against the name before anything is done. It may be anybody's: nobody can "
        "change it, only pass it on.",
        examples=(Example("name put NAME record", "Put a record that somebody signed to where others look for it."),),
    ),
    CliCommand(
        "name pubsub state",
        rpc="name/pubsub/state",
        text=_state,
        examples=(Example("name pubsub state", "Show whether changed names are heard of by pubsub."),),
    ),
    CliCommand(
        "name pubsub subs",
        rpc="name/pubsub/subs",
        text=_names,
        examples=(Example("name pubsub subs", "List the names that are followed by pubsub."),),
    ),
    CliCommand(
        "name pubsub cancel",
        rpc="name/pubsub/cancel",
        text=_canceled,
        examples=(Example("name pubsub cancel NAME", "Follow a name by pubsub no more."),),
    ),
)
