"""`zwerm up`: the node in the foreground. `ipfs daemon` is the same."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> int:
    if parsed.arguments:
        raise UsageError(f"{parsed.arguments[0]!r} is one argument too many")
    overrides = {f"{name}.enabled": "true" for name in ("turn", "calls") if parsed.flag(name)}
    for text in parsed.options.get("set", ()):
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set is {text!r}, expected KEY=VALUE")
        overrides[key] = value
    from zwerm.cli.text_form import text_form
    from zwerm.daemon.process import up

    return up(
        session.settings.repository,
        profile=parsed.options.get("profile"),
        overrides=overrides,
        port_offset=parsed.options.get("port-offset", 0),
        online=not session.settings.shared.get("offline", False),
        text=text_form,
    )


_KUBO = (  # flags of `ipfs daemon` that scripts use and that need nothing here
    ("init", "Accepted as Kubo does; the repository is made when there is none."),
    ("migrate", "Accepted as Kubo does; repositories are brought up to date by themselves."),
    ("enable-gc", "Accepted as Kubo does; storage.collect_at decides."),
)

COMMANDS = (
    CliCommand(
        "up",
        summary="Start the node: gateway, API and web page",
        details="The node runs until Ctrl-C or SIGTERM. It prints the address of its page; `Daemon is ready` means "
        "that everything answers. One node uses a repository at a time; commands meanwhile go to it by themselves.",
        run=_run,
        arguments=(),
        options=(
            option("profile", text="Set of defaults for this run: default, server, lan, lowpower or test."),
            option("port-offset", kind=OptionKind.INT, text="Added to every port, when another node has them."),
            option("set", kind=OptionKind.STRINGS, text="KEY=VALUE: a setting for this run; can be given again."),
            flag("turn", text="Relay for browsers and programs too, as `zwerm turn` does, on port 3478."),
            flag("calls", text="Let people find and ring each other through this node, as `zwerm signal` does."),
            *(flag(name, text=text) for name, text in _KUBO),
        ),
        examples=(
            Example("up", "Start the node."),
            Example("up --port-offset 10", "Start it beside another one, with Kubo's ports moved by ten."),
            Example("up --offline", "Without a network: it keeps and shows what it has, and asks nobody."),
            Example("up --turn --set turn.external=203.0.113.5", "With a relay, behind a NAT that forwards its ports."),
            Example("up --profile test --repo /tmp/trial", "Try it out: this machine only, any free ports."),
        ),
    ),
)
