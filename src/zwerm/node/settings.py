"""Every configuration key: its kind, default and one sentence; and the profiles, which are other sets of defaults.

This table is the documentation: `zwerm config --help`, the settings page and `docs/config.md` are made from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from zwerm.node import setting_checks as checks
from zwerm.node.setting import (
    ADDRESS,
    BOOLEAN,
    DURATION,
    LIST,
    SIZE,
    TEXT,
    Setting,
    SettingError,
    checked_list,
    checked_text,
    choice,
    integer,
)

SETTINGS: Final = (
    Setting(
        "profile",
        choice("default", "server", "lan", "lowpower", "test"),
        "default",
        "The set of defaults for every key that is not given here.",
    ),
    Setting(
        "addresses.swarm",
        checked_list(checks.multiaddr),
        [
            "/ip4/0.0.0.0/tcp/4001",
            "/ip4/0.0.0.0/udp/4001/quic-v1",
            "/ip4/0.0.0.0/udp/4001/webrtc-direct",
            "/ip6/::/tcp/4001",
            "/ip6/::/udp/4001/quic-v1",
            "/ip6/::/udp/4001/webrtc-direct",
        ],
        "Multiaddrs on which other nodes reach this one (empty: nowhere, it only dials).",
    ),
    Setting(
        "addresses.api",
        ADDRESS,
        "127.0.0.1:5001",
        "Where the Kubo-compatible RPC listens (empty: nowhere); it rules the node, so keep it on the loopback.",
    ),
    Setting(
        "addresses.gateway",
        ADDRESS,
        "127.0.0.1:8080",
        "Where content is served to browsers and programs (empty: nowhere).",
    ),
    Setting("addresses.web", ADDRESS, "127.0.0.1:8088", "Where the web app is served (empty: nowhere)."),
    Setting(
        "addresses.https",
        ADDRESS,
        "",
        "Where the web app is served by HTTPS, when one of https.cert, https.domain and https.lan is given (empty: "
        "127.0.0.1:8443, 0.0.0.0:443, 0.0.0.0:8443).",
    ),
    Setting(
        "addresses.plain",
        ADDRESS,
        "",
        "Where plain HTTP leads to HTTPS, and an authority asks (empty: 0.0.0.0:80 for https.domain, 0.0.0.0:8480 for "
        "https.lan).",
    ),
    Setting("https.cert", TEXT, "", "Certificate chain (PEM) for HTTPS; read anew when the file changes."),
    Setting("https.key", TEXT, "", "Its key (PEM), when it is not in the same file."),
    Setting(
        "https.domain",
        TEXT,
        "",
        "Name for which a certificate is fetched by ACME and renewed; to give it is to agree to the authority's terms.",
    ),
    Setting(
        "https.acme_directory",
        checked_text(checks.url),
        "https://acme-v02.api.letsencrypt.org/directory",
        "The ACME authority for https.domain.",
    ),
    Setting("https.acme_trusted", TEXT, "", "Certificates (PEM) that an authority of one's own is checked against."),
    Setting(
        "https.lan",
        BOOLEAN,
        default=False,
        doc="Whether machines of the local network reach the web app, by HTTPS with an authority that they install.",
    ),
    Setting(
        "https.trusted_proxies",
        LIST,
        [],
        "Addresses, or ranges such as 10.0.0.0/8, of proxies that are believed who their client is.",
    ),
    Setting(
        "https.public_origin",
        checked_text(checks.url),
        "",
        "Where browsers reach the web app through such a proxy, such as https://zwerm.example.org.",
    ),
    Setting(
        "bootstrap",
        checked_list(checks.multiaddr),
        [],
        "Multiaddrs of the peers by which the node joins a network; empty means it stays by itself.",
    ),
    Setting(
        "dns.servers",
        checked_list(checks.name_server),
        ["system"],
        "Name servers asked for domains that point at content (DNSLink): `system` for this machine's, or addresses "
        "such as 192.0.2.53 or 127.0.0.1:5353 (empty: none).",
    ),
    Setting(
        "pubsub.enabled",
        BOOLEAN,
        default=True,
        doc="Whether the node passes on messages by topic (gossipsub) to peers that want them, and hears of changed "
        "names by it at once.",
    ),
    Setting(
        "discovery.lan",
        BOOLEAN,
        default=True,
        doc="Whether nodes of the local network find each other, for when the node joins one.",
    ),
    Setting(
        "relay.through",
        checked_list(checks.multiaddr),
        [],
        "Multiaddrs of relays, with `/p2p/ID` at their end, through which this node is reached where nobody can dial "
        "it (empty: none).",
    ),
    Setting(
        "relay.serve",
        BOOLEAN,
        default=False,
        doc="Whether this node relays for others (circuit relay v2, limited), so that nodes behind NATs are reached.",
    ),
    Setting(
        "relay.circuit_time",
        DURATION,
        "2m",
        "How long one connection may run through this relay (0s: as long as it likes).",
    ),
    Setting(
        "relay.circuit_data",
        SIZE,
        "128KiB",
        "The most bytes that one connection may send through this relay in each direction (0: no limit).",
    ),
    Setting(
        "relay.auto",
        BOOLEAN,
        default=True,
        doc="Whether the node looks for relays by itself, and is reached through two of them, while others find that "
        "they cannot dial it.",
    ),
    Setting(
        "network.port_mapping",
        BOOLEAN,
        default=True,
        doc="Whether the router at home is asked to lead the ports of this node to it (PCP, NAT-PMP, UPnP), while the "
        "node has a private address.",
    ),
    Setting(
        "websocket.cert",
        TEXT,
        "",
        "Certificate chain (PEM) for secure WebSockets, which web pages may dial, at addresses of `addresses.swarm` "
        "such as /ip4/0.0.0.0/tcp/4003/tls/ws (empty: none).",
    ),
    Setting("websocket.key", TEXT, "", "Its key (PEM), when it is not in the same file."),
    Setting(
        "network.proxy",
        checked_text(checks.proxy),
        "",
        "A SOCKS 5 proxy such as socks5://127.0.0.1:9050 (Tor) that makes every connection this node dials to others; "
        "what cannot go through it stays off (empty: none).",
    ),
    Setting(
        "network.congestion",
        choice("bbr", "cubic", "system"),
        "bbr",
        "How TCP finds the rate of a link to another node: `bbr` measures it, so that lost packets do not slow it down "
        "(where the kernel has it), `cubic` slows down with each loss, `system` leaves it as the system is set up.",
    ),
    Setting(
        "network.filters",
        checked_list(checks.address_range),
        [],
        "Ranges of addresses that are neither dialled nor let in, such as /ip4/10.0.0.0/ipcidr/8 (empty: none); `zwerm "
        "swarm filters` changes them.",
        restart=False,
    ),
    Setting(
        "network.upload",
        SIZE,
        "0",
        "The most bytes a second that go to other nodes, all together (0: no limit).",
        restart=False,
    ),
    Setting(
        "network.download",
        SIZE,
        "0",
        "The most bytes a second that come from other nodes, all together (0: no limit).",
        restart=False,
    ),
    Setting(
        "network.connections",
        integer(16, 8_192),
        256,
        "Connections past which the least useful are closed, down to five eighths; four times as many are refused.",
    ),
    Setting(
        "network.remember",
        BOOLEAN,
        default=True,
        doc="Whether the addresses of nodes that this one reached are kept on the disk for two weeks, so that it finds "
        "back to the network by them.",
    ),
    Setting(
        "routing.dht",
        choice("auto", "client", "server", "off"),
        "auto",
        "How the node takes part in the DHTs: `auto` serves the public one while it can be reached from outside, "
        "`client` only asks, `server` always answers, `off` keeps out.",
    ),
    Setting(
        "routing.delegated",
        checked_list(checks.url),
        [],
        "Servers for delegated routing (HTTP) asked beside the DHTs, such as https://routing.example; they see what is "
        "asked for (empty: none).",
    ),
    Setting(
        "provide.strategy",
        choice("all", "roots", "none"),
        "all",
        "What others are told that this node has: `all` its blocks, the `roots` that are pinned, or `none`.",
    ),
    Setting("provide.interval", DURATION, "22h", "How long until everything has been told again; records live 48h."),
    Setting(
        "exchange.gateways",
        checked_list(checks.url),
        [],
        "HTTP gateways asked for blocks beside other nodes, such as https://gateway.example; blocks are verified, and "
        "the gateways see what is asked for (empty: none).",
    ),
    Setting(
        "connect.stun",
        checked_list(checks.stun),
        ["stun:stun.l.google.com:19302", "stun:stun.cloudflare.com:3478"],
        "STUN servers that tell `zwerm connect` and the page Connect how this machine looks from outside; they see its "
        "address (empty: only machines of one network connect).",
        restart=False,
    ),
    Setting(
        "turn.enabled",
        BOOLEAN,
        default=False,
        doc="Whether this node relays for browsers and programs that cannot reach each other (a TURN server), as "
        "`zwerm up --turn` does.",
    ),
    Setting(
        "addresses.turn",
        ADDRESS,
        "0.0.0.0:3478",
        "Where the relay listens, for UDP and TCP; 0.0.0.0 means every IPv4 address of this machine.",
    ),
    Setting(
        "turn.external",
        checked_text(checks.external),
        "",
        "Address of the relay outside, where a NAT stands before this machine; or a STUN server that tells it, such as "
        "stun:stun.example.org (empty: it is reached under its own).",
    ),
    Setting(
        "turn.secret",
        TEXT,
        "",
        "A secret of which credentials that end by themselves are made, shared with other web services that make them "
        "(empty: a new one at every start).",
    ),
    Setting("turn.realm", TEXT, "zwerm", "The realm of the relay's credentials."),
    Setting("turn.cert", TEXT, "", "Certificate chain (PEM) for TLS on port 5349 (empty: no TLS)."),
    Setting("turn.key", TEXT, "", "Its key (PEM), when it is not in the same file."),
    Setting(
        "turn.ports", checked_text(checks.port_range), "49152-65535", "The UDP ports of relayed addresses, FIRST-LAST."
    ),
    Setting("turn.workers", integer(1, 64), 1, "Processes that relay, one for each core."),
    Setting(
        "turn.allow_peers", LIST, [], "Ranges that the relay sends to although they are private, such as 10.1.0.0/16."
    ),
    Setting("turn.user_quota", integer(1, 10_000), 64, "The most allocations of one user."),
    Setting("turn.user_rate", SIZE, "0", "The most bytes a second that the relay carries for one user (0: no limit)."),
    Setting("turn.total_rate", SIZE, "0", "The most bytes a second that the relay carries in all (0: no limit)."),
    Setting(
        "calls.enabled",
        BOOLEAN,
        default=True,
        doc="Whether people find and ring each other through this node (a signaling service); where `addresses.web` is "
        "reached from other machines it has to be given, by `zwerm up --calls` or here.",
        restart=False,
    ),
    Setting(
        "calls.origin",
        checked_text(checks.url),
        "",
        "Address under which browsers reach the web app, for the links in mails (empty: localhost).",
    ),
    Setting(
        "calls.registration",
        BOOLEAN,
        default=True,
        doc="Whether everybody who reaches the service may make an account.",
    ),
    Setting(
        "calls.smtp",
        checked_text(checks.mail_server),
        "",
        "Mail server for links and for whoever is away, smtp://[NAME:PASSWORD@]HOST[:PORT] or smtps:// (empty: no "
        "mails, and accounts without an address).",
    ),
    Setting("calls.sender", TEXT, "", "Address that mails come from (empty: calls@ the origin's host)."),
    Setting(
        "calls.store",
        TEXT,
        "",
        "Where accounts and calls are kept: a file, or the URL of a database (empty: calls.sqlite in the repository).",
    ),
    Setting(
        "calls.bus",
        TEXT,
        "",
        "URL of the Redis or NATS by which several nodes with one calls.store are one calls service (empty: this node "
        "alone).",
    ),
    Setting(
        "calls.peerjs",
        BOOLEAN,
        default=False,
        doc="Whether clients of PeerJS are served too, at /peerjs of the web app, whatever page they are in.",
    ),
    Setting(
        "storage.max",
        SIZE,
        "0",
        "The most that blocks may take on the disk (0: no limit); a write that would exceed it is refused.",
        restart=False,
    ),
    Setting(
        "storage.collect_at",
        integer(0, 99),
        90,
        "Percentage of storage.max from which content that nothing keeps is removed by itself (0: never).",
        restart=False,
    ),
    Setting(
        "storage.verify",
        BOOLEAN,
        default=False,
        doc="Whether every block is checked against its hash at each read, and not only when it comes in and when it "
        "first leaves the disk in a run of the node.",
    ),
    Setting(
        "history.record",
        BOOLEAN,
        default=True,
        doc="Whether each change of the files makes a version that can be restored.",
    ),
    Setting(
        "history.policy",
        checked_text(checks.history_policy),
        "all",
        "Which versions are kept: all, `last N`, or thin (fewer the older they are: one an hour, a day, a week).",
        restart=False,
    ),
    Setting(
        "import.profile",
        choice("default", "unixfs-v0-2015", "unixfs-v1-2025"),
        "default",
        "How added files become blocks, and so which CID they get, where the caller does not say.",
        restart=False,
    ),
    Setting(
        "import.chunker",
        checked_text(checks.chunker),
        "",
        "How added files are cut: size-BYTES, rabin-MIN-AVG-MAX or buzhash (empty: as import.profile).",
        restart=False,
    ),
    Setting(
        "import.hash",
        TEXT,
        "",
        "Hash function of added blocks, such as blake3 (empty: as import.profile).",
        restart=False,
    ),
    Setting(
        "gateway.subdomains",
        checked_list(checks.host),
        ["localhost"],
        "Host names below which each CID has its own origin, CID.ipfs.NAME, so that pages cannot read each other.",
    ),
    Setting(
        "gateway.public",
        checked_text(checks.url),
        "",
        "Address of this gateway as others reach it, used in the links that are shared (empty: none).",
        restart=False,
    ),
    Setting(
        "gateway.isolate",
        BOOLEAN,
        default=True,
        doc="Whether a web page asked for by path is sent to its own origin below gateway.subdomains.",
    ),
    Setting(
        "gateway.deserialized",
        BOOLEAN,
        default=True,
        doc="Whether files and pages are served; if not, only forms that the client verifies: raw blocks and CAR.",
    ),
    Setting(
        "gateway.dnslink",
        BOOLEAN,
        default=False,
        doc="Whether any other host name is looked up as a DNSLink name and answered with its content.",
    ),
    Setting(
        "gateway.timeout",
        DURATION,
        "30s",
        "How long the gateway looks for content that is not here before it answers 504.",
        restart=False,
    ),
    Setting(
        "gateway.denylist",
        LIST,
        [],
        "Content that is not shown: CIDs or `//` hashes of them (410 Gone); with ` legal` behind, 451.",
    ),
    Setting(
        "api.cors",
        checked_list(checks.origin),
        [],
        "Origins of other web pages that may use the RPC, such as http://localhost:3000.",
        restart=False,
    ),
    Setting(
        "api.hosts",
        checked_list(checks.host),
        [],
        "Host names besides localhost under which the RPC and the web app may be asked for, as behind a proxy.",
        restart=False,
    ),
    Setting(
        "api.token",
        checked_text(str),
        "",
        "A secret that every RPC request must carry (Authorization: Bearer SECRET); empty: none on the loopback.",
        restart=False,
    ),
    Setting(
        "api.version",
        checked_text(checks.version),
        "",
        "The Kubo release that `version` answers with, for clients that insist on an old one; empty: the one followed.",
        restart=False,
    ),
    Setting("http.idle", DURATION, "75s", "How long a connection without requests is kept open."),
    Setting("http.grace", DURATION, "3s", "How long requests in progress may go on when the node stops, up to 3s."),
    Setting("performance.threads", integer(2, 64), 8, "Worker threads of the daemon for what waits for the disk."),
    Setting("log.level", choice("debug", "info", "warning", "error"), "info", "The least important log lines shown."),
    Setting("log.format", choice("text", "json"), "text", "Whether log lines are for people or for programs."),
)

BY_KEY: Final[Mapping[str, Setting]] = {setting.key: setting for setting in SETTINGS}

SECRETS: Final = (
    "api.token",
    "calls.bus",
    "calls.smtp",
    "calls.store",
    "turn.secret",
)  # values that are shown as set or not set, and no further

PROFILES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "default": ("A node on a computer somebody works at.", {}),
    "server": (
        "A node in a data centre: does not look around its local network, logs for programs.",
        {"discovery.lan": False, "network.port_mapping": False, "log.format": "json"},
    ),
    "lan": (
        "A node that meets others of its local network only.",
        {"bootstrap": [], "discovery.lan": True, "network.port_mapping": False, "connect.stun": []},
    ),
    "lowpower": (
        "A small machine: fewer threads, connections closed sooner, old versions thinned.",
        {"performance.threads": 4, "http.idle": "15s", "history.policy": "thin"},
    ),
    "test": (
        "For tests and trials beside other nodes: loopback only, free ports, nobody to join.",
        {
            "addresses.swarm": [
                "/ip4/127.0.0.1/tcp/0",
                "/ip4/127.0.0.1/udp/0/quic-v1",
                "/ip4/127.0.0.1/udp/0/webrtc-direct",
            ],
            "addresses.api": "127.0.0.1:0",
            "addresses.gateway": "127.0.0.1:0",
            "addresses.web": "127.0.0.1:0",
            "addresses.turn": "127.0.0.1:0",
            "addresses.https": "127.0.0.1:0",
            "addresses.plain": "127.0.0.1:0",
            "https.acme_directory": "",
            "bootstrap": [],
            "network.remember": False,
            "discovery.lan": False,
            "relay.auto": False,
            "network.port_mapping": False,
            "dns.servers": [],
            "connect.stun": [],
        },
    ),
}


def _is_loopback_url(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("::1", "localhost") or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None


def check_profile_rules(profile: str, values: Mapping[str, Any]) -> None:
    """Refuse values that a profile promises not to have.

    Raises:
        SettingError: the profile `test` with a peer or an address outside this machine.
    """
    if profile != "test":
        return
    if values["exchange.gateways"] and not all(_is_loopback_url(url) for url in values["exchange.gateways"]):
        raise SettingError("exchange.gateways: the profile test asks nobody outside this machine")
    if values["routing.delegated"] and not all(_is_loopback_url(url) for url in values["routing.delegated"]):
        raise SettingError("routing.delegated: the profile test asks nobody outside this machine")
    if values["bootstrap"]:
        raise SettingError("bootstrap: the profile test joins nobody; remove it, or choose another profile")
    if values["https.acme_directory"] and not _is_loopback_url(values["https.acme_directory"]):
        raise SettingError("https.acme_directory: the profile test asks nobody outside this machine")
    for name in ("api", "gateway", "web", "turn", "https", "plain"):
        key = f"addresses.{name}"
        address = BY_KEY[key].kind.value(values[key])
        if address and not address.is_loopback:
            raise SettingError(f"{key}: {values[key]} is not on the loopback, where the profile test stays")
