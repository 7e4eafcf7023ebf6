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


def _bandwidth(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.text(
            f"Bandwidth\nTotalIn: {human_size(item['TotalIn'])}\nTotalOut: {human_size(item['TotalOut'])}\n"
            f"RateIn: {human_size(item['RateIn'])}/s\nRateOut: {human_size(item['RateOut'])}/s\n"
        )
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
        "stats bw",
        rpc="stats/bw",
        text=_bandwidth,
        examples=(Example("stats bw --poll", "Show every second how much goes over the network."),),
    ),
)
