"""`zwerm up`: the node in the foreground. `ipfs daemon` is the same."""

from __future__ import annotations

from typing import Any

from zwerm.cli.command import CliCommand, Example, OptionKind, Parsed, flag, option
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import UsageError

_HTTPS = {
    "cert": "https.cert",
    "key": "https.key",
    "domain": "https.domain",
    "acme-directory": "https.acme_directory",
    "https": "addresses.https",
    "public-origin": "https.public_origin",
}


def _run(session: Session, parsed: Parsed) -> int:
    if parsed.arguments:
        raise UsageError(f"{parsed.arguments[0]!r} is one argument too many")
    overrides: dict[str, Any] = {f"{name}.enabled": "true" for name in ("turn", "calls") if parsed.flag(name)}
    if parsed.flag("peerjs"):
        overrides["calls.peerjs"] = "true"
    for name, key in _HTTPS.items():
        if name in parsed.options:
            overrides[key] = parsed.options[name]
    if "trusted-proxy" in parsed.options:
        overrides["https.trusted_proxies"] = list(parsed.options["trusted-proxy"])
    if parsed.flag("lan"):
        overrides["https.lan"] = "true"
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
            flag("peerjs", text="Serve clients of PeerJS too, at /peerjs of the web app, whatever page they are in."),
            option("cert", text="Certificate chain (PEM): serve the web app by HTTPS too; read anew when it changes."),
            option("key", text="The certificate's key (PEM), when it is not in the same file."),
            option(
                "domain", text="NAME that leads here: HTTPS with a certificate that is fetched by ACME and renewed."
            ),
            option("acme-directory", text="URL of another ACME authority than Let's Encrypt."),
            flag("lan", text="HTTPS for the machines of this house, with an authority that a telephone installs."),
            option(
                "https",
                text="ADDRESS:PORT of HTTPS. Default: 127.0.0.1:8443 (cert), 0.0.0.0:443 (domain), 0.0.0.0:8443 (lan).",
            ),
            option("trusted-proxy", kind=OptionKind.STRINGS, text="Address or range of a proxy in front of this node."),
            option("public-origin", text="Where browsers reach that proxy, such as https://zwerm.example.org."),
            *(flag(name, text=text) for name, text in _KUBO),
        ),
        examples=(
            Example("up", "Start the node."),
            Example("up --port-offset 10", "Start it beside another one, with Kubo's ports moved by ten."),
            Example("up --offline", "Without a network: it keeps and shows what it has, and asks nobody."),
            Example("up --turn --set turn.external=203.0.113.5", "With a relay, behind a NAT that forwards its ports."),
            Example("up --lan", "For the telephone in the same house: it scans a code, and trusts this node."),
            Example("up --domain zwerm.example.org --calls", "For everybody, with a certificate from Let's Encrypt."),
            Example(
                "up --trusted-proxy 127.0.0.1 --public-origin https://zwerm.example.org",
                "Behind a proxy that does HTTPS.",
            ),
            Example("up --profile test --repo /tmp/trial", "Try it out: this machine only, any free ports."),
        ),
    ),
)
