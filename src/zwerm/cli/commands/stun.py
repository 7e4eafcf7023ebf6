"""`zwerm stun`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zwerm.cli.command import Argument, CliCommand, Example, Parsed
from zwerm.cli.output import safe
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError

if TYPE_CHECKING:
    from zwerm.webrtc.stun.behaviour import NatBehaviour


def _run(session: Session, parsed: Parsed) -> int:
    if len(parsed.arguments) != 1:
        raise UsageError("name one server: stun:HOST or stun:HOST:PORT")
    import asyncio

    from zwerm.webrtc.stun.aio import ask, discover
    from zwerm.webrtc.stun.uri import ServerUri, Transport

    uri = ServerUri.from_text(parsed.arguments[0])
    if uri.transport is Transport.UDP:
        return _print(session, asyncio.run(discover(uri)))
    answer = asyncio.run(ask(uri))
    if session.settings.json:
        session.output.json({"Mapped": _text(answer.mapped), "Local": _text(answer.local), "Software": answer.software})
        return 0
    if answer.mapped[0] == answer.local[0]:
        session.output.line(f"You are not behind a NAT: the server sees your own address, {_text(answer.mapped)}.")
    else:
        session.output.line(
            f"You are behind a NAT: you are {_text(answer.local)} here, and the server sees {_text(answer.mapped)}."
        )
    session.output.line(f"What lies between treats UDP in ways that {uri.transport.value.upper()} cannot tell.")
    if answer.software:
        session.output.line(f"It calls itself {safe(answer.software)}.")
    return 0


def _print(session: Session, behaviour: NatBehaviour) -> int:
    if session.settings.json:
        session.output.json(
            {
                "Mapped": _text(behaviour.mapped) if behaviour.mapped else None,
                "Local": _text(behaviour.local),
                "Mapping": behaviour.mapping.value if behaviour.mapping else None,
                "Filtering": behaviour.filtering.value if behaviour.filtering else None,
                "Hairpinning": behaviour.has_hairpinning,
                "Name": behaviour.old_name,
            }
        )
    else:
        for sentence in behaviour.in_words():
            session.output.line(sentence)
    return int(behaviour.mapped is None)


def _text(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


COMMANDS = (
    CliCommand(
        "stun",
        summary="Ask a STUN server which NAT one is behind",
        details="Over UDP it also finds out what the NAT does (RFC 5780), when the server has a second address; that "
        "takes up to 20 seconds where much is filtered. Exit status 1 when no answer came.",
        run=_run,
        arguments=(Argument("url", "stun:HOST[:PORT], stuns:HOST[:PORT], or turn:HOST?transport=tcp."),),
        examples=(
            Example("stun stun:stun.example.org", "Say in words what is between this host and the internet."),
            Example("stun stuns:stun.example.org", "Ask over TLS, where UDP is blocked."),
        ),
    ),
)
