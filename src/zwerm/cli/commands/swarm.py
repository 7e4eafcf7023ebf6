"""`zwerm swarm`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe, table
from zwerm.cli.session import Session

_DIRECTIONS = {1: "inbound", 2: "outbound"}


def _peers(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for row in item["Peers"]:
            words = [safe(f"{row['Addr']}/p2p/{row['Peer']}")]
            words += [row["Latency"]] if "Latency" in row else []
            words += [_DIRECTIONS[row["Direction"]]] if "Direction" in row else []
            session.output.line(" ".join(words))
            for stream in row.get("Streams", ()):
                session.output.line(f"  {safe(stream['Protocol'])}")
            if row["Identify"]:
                session.output.line(f"  agent: {safe(row['Identify']['AgentVersion'])}")


def _lines(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for line in item["Strings"]:
            session.output.line(safe(line))


def _known(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for peer, addresses in item["Addrs"].items():
            session.output.line(f"{peer} ({len(addresses)})")
            for address in addresses:
                session.output.line(f"\t{safe(address)}")


def _peering(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for row in item["Peers"]:
            session.output.line(row["ID"])
            for address in row["Addrs"]:
                session.output.line(f"\t{safe(address)}")


def _done(session: Session, parsed: Parsed, answer: Answer) -> None:
    word = parsed.command.words.rpartition(" ")[2]
    for item in answer.items():
        session.output.line(f"{word} {item['ID']} {item['Status']}")


def _resources(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        rows: list[tuple[str, ...]] = [
            ("Scope", "Limit Name", "Limit Value", "Limit Usage Amount", "Limit Usage Percent")
        ]
        scopes = [("system", item["System"])]
        scopes += [(f"protocol:{name}", scope) for name, scope in item["Protocols"].items()]
        scopes += [(f"peer:{name}", scope) for name, scope in item["Peers"].items()]
        for name, scope in scopes:
            for what in ("Conns", "Streams"):
                if what in scope:
                    used, limit = scope[f"{what}Usage"], scope[what]
                    rows.append((safe(name), what, str(limit), str(used), f"{100 * used / limit:.1f}%"))
        for line in table(rows):
            session.output.line(line)


def _autonat(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(
            f"AutoNAT V2 Status:\n  Reachability: {item['reachability']}\n\nPer-Address Reachability:\n"
        )
        titles = [title for title in ("reachable", "unreachable", "unknown") if title in item]
        for title in titles:
            session.output.line(f"  {title.capitalize()}:")
            for address in item[title]:
                session.output.line(f"    {safe(address)}")
        if not titles:
            session.output.line("  (no address reachability data available)")


_ID = "12D3KooWPEER"
_RANGE = "/ip4/10.0.0.0/ipcidr/8"
_PEER = f"/ip4/192.0.2.7/tcp/4001/p2p/{_ID}"

COMMANDS = (
    CliCommand(
        "swarm peers",
        rpc="swarm/peers",
        text=_peers,
        examples=(
            Example("swarm peers", "List the nodes this one is connected with."),
            Example("swarm peers -v", "With all that is known of them."),
        ),
    ),
    CliCommand(
        "swarm connect",
        rpc="swarm/connect",
        text=_lines,
        examples=(Example(f"swarm connect {_PEER}", "Connect to a node."),),
    ),
    CliCommand(
        "swarm disconnect",
        rpc="swarm/disconnect",
        text=_lines,
        examples=(Example(f"swarm disconnect /p2p/{_ID}", "Close the connections with a node."),),
    ),
    CliCommand(
        "swarm addrs",
        rpc="swarm/addrs",
        text=_known,
        examples=(Example("swarm addrs", "List what is known of where other nodes are."),),
    ),
    CliCommand(
        "swarm addrs listen",
        rpc="swarm/addrs/listen",
        text=_lines,
        examples=(Example("swarm addrs listen", "List where this node listens."),),
    ),
    CliCommand(
        "swarm addrs local",
        rpc="swarm/addrs/local",
        text=_lines,
        examples=(Example("swarm addrs local --id", "List what others can connect to, to give it to somebody."),),
    ),
    CliCommand(
        "swarm addrs autonat",
        rpc="swarm/addrs/autonat",
        text=_autonat,
        examples=(Example("swarm addrs autonat", "Show whether others say that they reach this node's addresses."),),
    ),
    CliCommand(
        "swarm resources",
        rpc="swarm/resources",
        text=_resources,
        examples=(Example("swarm resources", "Show how many connections and streams there are, and may be."),),
    ),
    CliCommand(
        "swarm filters",
        rpc="swarm/filters",
        text=_lines,
        examples=(Example("swarm filters", "List the ranges of addresses that are neither dialled nor let in."),),
    ),
    CliCommand(
        "swarm filters add",
        rpc="swarm/filters/add",
        text=_lines,
        examples=(Example(f"swarm filters add {_RANGE}", "Have nothing to do with addresses that begin with 10."),),
    ),
    CliCommand(
        "swarm filters rm",
        rpc="swarm/filters/rm",
        text=_lines,
        examples=(
            Example(f"swarm filters rm {_RANGE}", "Dial them again, and let them in."),
            Example("swarm filters rm all", "Every range."),
        ),
    ),
    CliCommand(
        "swarm peering add",
        rpc="swarm/peering/add",
        text=_done,
        examples=(Example(f"swarm peering add {_PEER}", "Stay connected with a node until this one stops."),),
    ),
    CliCommand(
        "swarm peering ls",
        rpc="swarm/peering/ls",
        text=_peering,
        examples=(Example("swarm peering ls", "List the nodes this one stays connected with."),),
    ),
    CliCommand(
        "swarm peering rm",
        rpc="swarm/peering/rm",
        text=_done,
        examples=(Example(f"swarm peering rm {_ID}", "Stay connected with it no longer."),),
    ),
)
