"""`zwerm connect`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from zwerm.cli.command import CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> int:
    if parsed.arguments:
        raise UsageError(f"{parsed.arguments[0]!r} is one argument too many; files go behind --send")
    if not parsed.flag("paste"):
        raise UsageError("say --paste: two people exchange a code; there is no other way to connect yet")
    from zwerm.apps.connect.link import Reach
    from zwerm.cli.conversation_terminal import Plan, Terminal
    from zwerm.node.config import Config, profile_from_environment

    given = parsed.options
    if "capture" in given:
        from zwerm.webrtc.w3c.capturing import capture_process

        capture_process(given["capture"], has_keys=parsed.flag("capture-keys"))
    elif parsed.flag("capture-keys"):
        raise UsageError("--capture-keys without --capture FILE, which they would be written to")
    config = Config(session.settings.repository / "config.toml", profile=profile_from_environment())
    stun = given.get("stun")
    reach = Reach(
        stun=config.texts("connect.stun") if stun is None else [url for url in stun if url != "none"],
        loopback=parsed.flag("loopback") or config.profile == "test",
    )
    into = given.get("into")
    plan = Plan(
        folder=Path(into or os.curdir),
        accepts_all=into is not None,
        send=tuple(Path(name) for name in given.get("send", ())),
        shows_qr=parsed.flag("qr"),
        is_json=session.settings.json,
    )
    return asyncio.run(Terminal(session.output, plan, reach).run())


COMMANDS = (
    CliCommand(
        "connect",
        summary="Chat and send files straight to somebody, without a server in between",
        details="Both run it; each gives the code on the screen to the other, by mail, chat or telephone camera, and "
        "pastes the other's. The order does not matter. Then every line typed is said to the other side, and lines "
        "that begin with a slash are commands; /help lists them. When the connection breaks, both get a new code, "
        "and files go on where they stood. Needs no repository.",
        run=_run,
        arguments=(),
        options=(
            flag("paste", text="Connect by codes that are pasted."),
            option("send", kind=OptionKind.STRINGS, text="File to send; can be given again. It ends when all arrived."),
            option("into", text="Folder to receive into, without asking. Otherwise one is asked, and files go here."),
            flag("qr", text="Show the code as a QR code too."),
            option(
                "stun",
                kind=OptionKind.STRINGS,
                text="Server that tells how this machine looks from outside, or none. Default: connect.stun.",
            ),
            flag("loopback", text="Also reach a program on this same machine."),
            option(
                "capture", text="Write what passes to this file, for Wireshark: unencrypted, readable by you alone."
            ),
            flag("capture-keys", text="Write the keys of the encryption there too."),
        ),
        examples=(
            Example("connect --paste", "Talk to somebody."),
            Example("connect --paste --send photos.zip --send letter.pdf", "Send two files, then end."),
            Example("connect --paste --into ~/Downloads", "Receive whatever the other side sends."),
            Example("connect --paste --qr", "Show the code so that a telephone can read it."),
            Example("connect --paste --capture call.pcapng", "See in Wireshark what happens."),
        ),
    ),
)
