"""`zwerm turn`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> int:
    if parsed.arguments:
        raise UsageError(f"{parsed.arguments[0]!r} is one argument too many")
    from zwerm.daemon.turn.options import TurnOptions
    from zwerm.daemon.turn.serve import run_turn

    given = parsed.options
    options = TurnOptions(
        listen=tuple(given.get("listen", ())),
        realm=given.get("realm", "zwerm"),
        secret=given.get("static-auth-secret"),
        users=tuple(given.get("user", ())),
        allow_peers=tuple(given.get("allow-peer", ())),
        external_ip=given.get("external-ip"),
        cert=given.get("cert"),
        key=given.get("key"),
        ports=given.get("ports", "49152-65535"),
        max_allocations=given.get("max-allocations", 10_000),
        user_quota=given.get("user-quota", 64),
        user_bytes_per_second=given.get("user-rate"),
        total_bytes_per_second=given.get("total-rate"),
        workers=given.get("workers", 1),
        metrics=given.get("metrics"),
        is_self_tested=not parsed.flag("no-self-test"),
        is_json=session.settings.json,
    )

    def write(line: str) -> None:
        session.output.line(line)
        session.output.flush()

    return run_turn(options, write)


COMMANDS = (
    CliCommand(
        "turn",
        summary="Relay for programs that cannot reach each other (a TURN server)",
        details="Needs no repository. It listens for UDP and TCP, with --cert for TLS too, answers STUN as well, and "
        "prints the iceServers block to paste. Nothing private is relayed to unless --allow-peer opens it. It tests "
        "itself at the start and says what is wrong; SIGHUP reads the certificate anew.",
        run=_run,
        arguments=(),
        options=(
            option(
                "listen", kind=OptionKind.STRINGS, text="ADDRESS[:PORT] to listen on; every one, port 3478, by default."
            ),
            option("realm", text="Realm of the credentials. Default: zwerm."),
            option("user", kind=OptionKind.STRINGS, text="NAME:PASSWORD to let in; can be given again."),
            option("static-auth-secret", text="Secret of time-limited credentials, shared with a web service."),
            option(
                "external-ip", text="Address outside, where a NAT stands before this host; or stun:HOST to ask for it."
            ),
            option("allow-peer", kind=OptionKind.STRINGS, text="Range to relay to although it is private."),
            option("cert", text="Certificate chain (PEM): listen for TLS on port 5349."),
            option("key", text="Its key (PEM), when it is not in the same file."),
            option("ports", text="FIRST-LAST of relayed addresses. Default: 49152-65535."),
            option("max-allocations", kind=OptionKind.UINT, text="Allocations in all. Default: 10000."),
            option("user-quota", kind=OptionKind.UINT, text="Allocations of one user. Default: 64."),
            option("user-rate", kind=OptionKind.UINT, text="Bytes a second of one user, both ways. Default: no cap."),
            option("total-rate", kind=OptionKind.UINT, text="Bytes a second of all users. Default: no cap."),
            option("workers", kind=OptionKind.UINT, text="Processes that relay, one for each core. Default: 1."),
            option("metrics", text="ADDRESS:PORT where /metrics is served for Prometheus. Default: nowhere."),
            flag("no-self-test", text="Do not test at the start whether clients inside and outside get through."),
        ),
        examples=(
            Example("turn", "Relay, with a password made for this run."),
            Example("turn --user alice:wonder --external-ip 203.0.113.5", "Behind a NAT that forwards every port."),
            Example("turn --external-ip stun:stun.example.org --workers 4", "Ask for the address outside; four cores."),
            Example("turn --static-auth-secret s3cret --cert fullchain.pem --key privkey.pem", "For a web service."),
        ),
    ),
)
