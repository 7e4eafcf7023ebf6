"""`zwerm signal`."""

from __future__ import annotations

from zwerm.cli.command import CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError


def _run(session: Session, parsed: Parsed) -> int:
    if parsed.arguments:
        raise UsageError(f"{parsed.arguments[0]!r} is one argument too many")
    from zwerm.daemon.calls.options import DIRECTORY, SignalOptions
    from zwerm.daemon.calls.serve import run_signal

    given = parsed.options
    options = SignalOptions(
        listen=given.get("listen", ""),
        store=given.get("store", "zwerm-calls.sqlite"),
        bus=given.get("bus", ""),
        origin=given.get("origin", ""),
        origins=tuple(given.get("allow-origin", ())),
        smtp=given.get("smtp", ""),
        sender=given.get("sender", ""),
        registration=not parsed.flag("no-registration"),
        push=not parsed.flag("no-push"),
        turn=tuple(given.get("turn", ())),
        turn_secret=given.get("turn-secret", ""),
        cert=given.get("cert", ""),
        key=given.get("key", ""),
        domain=given.get("domain", ""),
        acme_directory=given.get("acme-directory", DIRECTORY),
        acme_trusted=given.get("acme-trusted", ""),
        acme_folder=given.get("acme-folder", "zwerm-calls-tls"),
        plain=given.get("plain", ""),
        trusted_proxies=tuple(given.get("trusted-proxy", ())),
        peerjs=parsed.flag("peerjs"),
        allow_load=parsed.flag("allow-load"),
        is_json=session.settings.json,
    )

    def write(line: str) -> None:
        session.output.line(line)
        session.output.flush()

    return run_signal(options, write)


COMMANDS = (
    CliCommand(
        "signal",
        summary="Let people find and ring each other (a signaling service)",
        details="Needs no repository. It keeps accounts, rings all devices of whoever is called, fetches those who are "
        "away by push message or mail, and holds rooms; sound and pictures never pass through it. Clients speak the "
        "protocol of docs/calls.md over a web socket, or over server-sent events and POST. `zwerm up --calls` has the "
        "same service inside.",
        run=_run,
        arguments=(),
        options=(
            option("listen", text="ADDRESS:PORT to listen on. Default: 127.0.0.1:8089; with --domain 0.0.0.0:443."),
            option("store", text="File of the accounts, or the URL of a database. Default: zwerm-calls.sqlite."),
            option(
                "bus",
                text="URL of the Redis or NATS that joins several of these on one store: redis://, rediss://, nats://, tls://.",
            ),
            option("origin", text="The address under which browsers reach the service, as behind a proxy."),
            option("allow-origin", kind=OptionKind.STRINGS, text="Origin of another page that may use it."),
            option("smtp", text="Mail server, smtp://[NAME:PASSWORD@]HOST[:PORT]; without one there are no mails."),
            option("sender", text="Address that mails come from. Default: calls@ the origin's host."),
            option("turn", kind=OptionKind.STRINGS, text="URL of a relay to give out, such as turn:turn.example.org."),
            option("turn-secret", text="Secret that the relay's credentials are made of."),
            option("cert", text="Certificate chain (PEM): serve HTTPS; read anew when the file changes."),
            option("key", text="The certificate's key (PEM), when it is not in the same file."),
            option("domain", text="NAME that leads here: HTTPS with a certificate by ACME, renewed in time."),
            option("acme-directory", text="URL of another ACME authority than Let's Encrypt."),
            option("acme-trusted", text="Certificates (PEM) that an authority of one's own is checked against."),
            option("acme-folder", text="Where keys and certificate of --domain are kept. Default: zwerm-calls-tls."),
            option("plain", text="ADDRESS:PORT for the authority's questions and plain HTTP. Default: 0.0.0.0:80."),
            option("trusted-proxy", kind=OptionKind.STRINGS, text="Address or range of a proxy in front of it."),
            flag("no-registration", text="Let nobody make an account."),
            flag("no-push", text="Send no push messages."),
            flag("peerjs", text="Serve clients of PeerJS too, at /peerjs, whatever page they are in."),
            flag("allow-load", text="Let `zwerm load calls` make accounts of a test here, and remove them."),
        ),
        examples=(
            Example("signal", "Serve this machine, with accounts in zwerm-calls.sqlite."),
            Example(
                "signal --origin https://calls.example.org --trusted-proxy 127.0.0.1 --smtp smtp://mail.example.org",
                "Behind a proxy that does HTTPS, with mails.",
            ),
            Example(
                "signal --bus redis://:PASSWORD@127.0.0.1 --store postgresql://zwerm@127.0.0.1/zwerm",
                "One of several processes behind a load balancer: users of all of them ring each other.",
            ),
            Example("signal --domain calls.example.org", "On the internet, by HTTPS with a certificate of its own."),
            Example("signal --turn turn:turn.example.org --turn-secret s3cret", "With a relay for those who need one."),
        ),
    ),
)
