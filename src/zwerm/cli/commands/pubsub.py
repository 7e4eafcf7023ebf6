"""`zwerm pubsub`."""

from __future__ import annotations

import base64
import dataclasses
import json
import os

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session


def _decoded(text: str) -> bytes:
    """Read base64url of Kubo's RPC: a `u`, then the letters without padding."""
    return base64.urlsafe_b64decode(text[1:] + "=" * (-(len(text) - 1) % 4))


def _run(session: Session, parsed: Parsed) -> int | None:
    """Call the RPC with the topic in multibase."""
    if parsed.arguments:
        encoded = "u" + base64.urlsafe_b64encode(os.fsencode(parsed.arguments[0])).rstrip(b"=").decode()
        parsed = dataclasses.replace(parsed, arguments=(encoded, *parsed.arguments[1:]))
    return remote.run(session, parsed)


def _messages(session: Session, _parsed: Parsed, answer: Answer) -> None:
    rest = b""
    for chunk in answer.chunks():
        *lines, rest = (rest + bytes(chunk)).split(b"\n")
        for line in lines:
            session.output.data(_decoded(json.loads(line)["data"]))
        session.output.flush()


def _topics(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for topic in item["Strings"]:
            session.output.line(safe(_decoded(topic).decode(errors="replace")))


def _peers(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        for peer in item["Strings"]:
            session.output.line(peer)


def _forgotten(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        session.output.line(f"messages forgotten: {item['Deleted']}")


COMMANDS = (
    CliCommand(
        "pubsub pub",
        rpc="pubsub/pub",
        run=_run,
        examples=(Example("pubsub pub news <<< hello", "Send a message to who reads the topic `news`."),),
    ),
    CliCommand(
        "pubsub sub",
        rpc="pubsub/sub",
        run=_run,
        text=_messages,
        examples=(Example("pubsub sub news", "Print the messages of a topic as they come, until Ctrl-C."),),
    ),
    CliCommand(
        "pubsub ls",
        rpc="pubsub/ls",
        text=_topics,
        examples=(Example("pubsub ls", "List the topics that this node reads."),),
    ),
    CliCommand(
        "pubsub peers",
        rpc="pubsub/peers",
        run=_run,
        text=_peers,
        examples=(Example("pubsub peers news", "List the connected nodes that read a topic."),),
    ),
    CliCommand(
        "pubsub reset",
        rpc="pubsub/reset",
        text=_forgotten,
        examples=(
            Example("pubsub reset", "Forget which messages were seen; the same ones are read again when they come."),
            Example("pubsub reset --peer 12D3KooWPEER", "Only those that this node wrote."),
        ),
    ),
)
