"""`zwerm stats`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.commands.bitswap import stat as exchanged
from zwerm.cli.commands.provide import provided
from zwerm.cli.commands.repo import stat
from zwerm.cli.commands.routing import tables
from zwerm.cli.output import human_size
from zwerm.cli.session import Session
from zwerm.cli.watch import phase_line, source_lines


def _bandwidth(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(
            f"Bandwidth\nTotalIn: {human_size(item['TotalIn'])}\nTotalOut: {human_size(item['TotalOut'])}\n"
            f"RateIn: {human_size(item['RateIn'])}/s\nRateOut: {human_size(item['RateOut'])}/s\n"
        )
        session.output.flush()


def _fetches(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for fetch in item["Fetches"]:
            state = f"{fetch['Blocks']} blocks, {human_size(fetch['Size'])}" if fetch["Blocks"] else phase_line(fetch)
            session.output.line(f"{fetch['Root']}  {state}, {fetch['Seconds']:.1f} s")
            for line in source_lines([fetch]):
                session.output.line(line)
        session.output.flush()


COMMANDS = (
    CliCommand(
        "stats repo", rpc="stats/repo", text=stat, examples=(Example("stats repo -H", "The same as `repo stat`."),)
    ),
    CliCommand(
        "stats bitswap",
        rpc="stats/bitswap",
        text=exchanged,
        examples=(Example("stats bitswap --human", "The same as `bitswap stat`."),),
    ),
    CliCommand(
        "stats dht",
        rpc="stats/dht",
        text=tables,
        examples=(Example("stats dht wan", "Show the routing table of the public DHT."),),
    ),
    CliCommand(
        "stats provide",
        rpc="stats/provide",
        text=provided,
        examples=(Example("stats provide", "The same as `provide stat`."),),
    ),
    CliCommand(
        "stats fetches",
        rpc="stats/fetches",
        text=_fetches,
        examples=(Example("stats fetches --poll", "Show every second what comes from others, and from whom."),),
    ),
    CliCommand(
        "stats bw",
        rpc="stats/bw",
        text=_bandwidth,
        examples=(Example("stats bw --poll", "Show every second how much goes over the network."),),
    ),
)
