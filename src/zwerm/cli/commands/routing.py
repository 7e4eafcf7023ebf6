"""`zwerm routing`."""

from __future__ import annotations

import base64

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _providers(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for found in item["Responses"] or ():
            session.output.line(found["ID"])


def _addresses(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for found in item["Responses"] or ():
            for address in found["Addrs"]:
                session.output.line(safe(address))


def _record(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.data(base64.b64decode(item["Extra"]))


def _who(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(safe(base64.b64decode(item["Extra"]).decode()))


def silent(_session: Session, _parsed: Parsed, answer: Answer) -> None:
    """Print nothing: there is no answer but that it worked."""
    for _ in answer.items():
        pass


def tables(session: Session, _parsed: Parsed, answer: Answer) -> None:
    """Print routing tables, bucket by bucket."""
    for item in answer.items():
        role = "server" if item["IsServer"] else "client"
        count = sum(len(bucket["Peers"]) for bucket in item["Buckets"])
        session.output.line(f"DHT {item['Name']} ({role}, {count} peers):")
        for number, bucket in enumerate(item["Buckets"]):
            if bucket["Peers"]:
                session.output.line(f"  Bucket {number:>2} ({len(bucket['Peers'])} peers)")
            for peer in bucket["Peers"]:
                sign = "@" if peer["Connected"] else " "
                session.output.line(f"    {sign} {peer['ID']} {safe(peer['AgentVersion'])}".rstrip())
        size = "not known yet" if item["NetworkSize"] is None else f"about {item['NetworkSize']} servers"
        session.output.line(f"  Network: {size}")
        session.output.line(f"  Kept for others: {item['ProviderRecords']} provider records, {item['Records']} records")
        session.output.line(
            f"  Requests: {item['RequestsSent']} sent, {item['RequestsAnswered']} answered, "
            f"{item['RequestsRefused']} refused"
        )


COMMANDS = (
    CliCommand(
        "routing findprovs",
        rpc="routing/findprovs",
        text=_providers,
        examples=(
            Example("routing findprovs ADDRESS", "List who says that it has this content."),
            Example("routing findprovs -n=1 ADDRESS", "One is enough."),
        ),
    ),
    CliCommand(
        "routing findpeer",
        rpc="routing/findpeer",
        text=_addresses,
        examples=(Example("routing findpeer 12D3KooWPEER", "Show where a peer is."),),
    ),
    CliCommand(
        "routing get",
        rpc="routing/get",
        text=_record,
        examples=(Example("routing get /ipns/NAME", "Get the newest record of a name, as its bytes."),),
    ),
    CliCommand(
        "routing put",
        rpc="routing/put",
        text=_who,
        details="Only valid records are taken: signed by the name's key, and not past their end of life.",
        examples=(Example("routing put /ipns/NAME record.ipns-record", "Give the record of a name to others."),),
    ),
    CliCommand(
        "routing provide",
        rpc="routing/provide",
        text=_who,
        details="What is added or pinned is told by itself (`provide.strategy`); this tells it now, and says how many "
        "servers took it.",
        examples=(Example("routing provide ADDRESS", "Tell others now that this node has this content."),),
    ),
    CliCommand(
        "routing reprovide",
        rpc="routing/reprovide",
        text=silent,
        details="Everything is told again by itself every 22 hours (`provide.interval`).",
        examples=(Example("routing reprovide", "After the network was away for long: tell others again now."),),
    ),
)
