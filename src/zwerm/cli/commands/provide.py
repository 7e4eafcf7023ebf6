"""`zwerm provide`."""

from __future__ import annotations

from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.session import Session


def provided(session: Session, _parsed: Parsed, answer: Answer) -> None:
    """Print what others are told."""
    for item in answer.items():
        for title, value in (
            ("Keys", item["Keys"]),
            ("Not told yet", item["Pending"]),
            ("This round", f"{item['Progress']:.1%}"),
            ("Rounds", item["Rounds"]),
            ("Records sent", item["RecordsSent"]),
            ("Look-ups", item["Lookups"]),
            ("Failures", item["Failures"]),
        ):
            session.output.line(f"{title + ':':<14}{value}")


def _queued(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(item["Queued"])
        session.output.flush()


def _cleared(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"{item} were waiting; they are told when everything is told again")


COMMANDS = (
    CliCommand(
        "provide clear",
        rpc="provide/clear",
        text=_cleared,
        details="They stay on the list of what is told again every 22 hours.",
        examples=(Example("provide clear", "After a large import: leave it to the next round."),),
    ),
    CliCommand(
        "provide once",
        rpc="provide/once",
        text=_queued,
        details="For what `provide.strategy` leaves out: others are told now, and not again.",
        examples=(Example("provide once -r ADDRESS", "Tell others of something and all below it."),),
    ),
    CliCommand(
        "provide stat",
        rpc="provide/stat",
        text=provided,
        details="What is added is told at once, and everything again every 22 hours (`provide.interval`), so that "
        "others find it. `provide.strategy` says what is told.",
        examples=(Example("provide stat", "Show how much is told, and how far this round is."),),
    ),
)
