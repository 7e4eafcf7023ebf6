#!/usr/bin/env python3
"""Take the defences of WebRTC, libp2p and the exchange away, each by itself, and see a test notice.

`tools/defences.py [NAME ...]`

Each defence below is a place of the source, what stands there, and what would stand there without it. In a copy of the
tree that place is changed, and the tests that are named are run on the plain Python form: they have to fail. The status
is 1 where one did not. `tests/docs/test_defences.py` sees that the places are still there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import (  # noqa: E402 -- it is run as a script too
    calls_defences,
    exchange_defences,
    libp2p_defences,
    network_defences,
    protocol_defences,
    service_defences,
)

LIMIT: Final = 300  # seconds for the tests of one defence
FOLDERS: Final = ("src", "tests", "tools")


class Defence(NamedTuple):
    """What is taken away, and where it is missed."""

    attack: str  # in the words of the list of attacks
    module: str  # below its part in `src/zwerm`
    there: str
    instead: str
    tests: str  # below its part in `tests`, separated by blanks
    part: str = "webrtc"

    @property
    def path(self) -> str:
        return f"src/zwerm/{self.part}/{self.module}"

    @property
    def test_paths(self) -> list[str]:
        return [f"tests/{self.part}/{name}" for name in self.tests.split()]


DEFENCES: Final = (
    Defence(
        "ClientHello before ICE validation",
        "dtls/connection.py",
        "if source != self.destination if self._accepts is None else not self._accepts(source):",
        "if False:",
        "dtls/test_hostile.py connection/test_hostile.py",
    ),
    Defence(
        "wrong fingerprint, seen in the handshake",
        "dtls/connection.py",
        "self._is_wrong_certificate = self._fingerprints is not None and match(self._fingerprints, der) is None",
        "self._is_wrong_certificate = False",
        "dtls/test_hostile.py",
    ),
    Defence(
        "wrong fingerprint, seen when it is told",
        "dtls/connection.py",
        "if matched is None:\n            self._fail(Cause.FINGERPRINT",
        "if False:\n            self._fail(Cause.FINGERPRINT",
        "dtls/test_hostile.py",
    ),
    Defence(
        "weak fingerprint beside a strong one",
        "dtls/fingerprint.py",
        "return matching[0] if matching else None\n",
        "if matching:\n                return matching[0]\n",
        "dtls/test_hostile.py dtls/test_fingerprint.py",
    ),
    Defence(
        "data before the fingerprint is checked",
        "dtls/connection.py",
        "elif self._fingerprints is not None:\n            self._verify(now)",
        "else:\n            self.state = State.CONNECTED",
        "dtls/test_hostile.py",
    ),
    Defence(
        "data before the fingerprint is checked: without limit",
        "dtls/gate.py",
        "if len(self._held) < self._config.max_held_records:",
        "if True:",
        "dtls/test_hostile.py dtls/test_gate.py",
    ),
    Defence(
        "plain data during the handshake",
        "dtls/gate.py",
        "if record.epoch != 0 or record.content_type is ContentType.APPLICATION_DATA:",
        "if record.epoch != 0:",
        "dtls/test_hostile.py dtls/test_gate.py",
    ),
    Defence(
        "handshake messages that claim 16 MiB",
        "dtls/gate.py",
        "fragment.message_size <= self._config.max_message and ",
        "",
        "dtls/test_hostile.py dtls/test_gate.py",
    ),
    Defence(
        "replayed records",
        "dtls/records.py",
        "if not window.is_new(sequence):",
        "if False:",
        "dtls/test_hostile.py dtls/test_records.py connection/test_hostile.py",
    ),
    Defence(
        "forged records that move the replay window",
        "dtls/replay.py",
        "return behind < 0 or (behind < WINDOW and not self.bits >> behind & 1)",
        "return behind < 0 or not self.bits >> behind & 1",
        "dtls/test_replay.py",
    ),
    Defence(
        "forged records without end",
        "dtls/connection.py",
        "if opener.forged > self.config.max_forged_records and",
        "if False and",
        "dtls/test_hostile.py",
    ),
    Defence(
        "forged SACKs: what was never sent",
        "sctp/outstanding.py",
        "if cumulative >= self.next_tsn:\n            return False",
        "if False:\n            return False",
        "sctp/test_hostile.py sctp/test_outstanding.py",
    ),
    Defence(
        "forged SACKs: gaps where nothing was sent",
        "sctp/outstanding.py",
        "return all(cumulative + 1 < start < stop <= self.next_tsn for start, stop in gaps)",
        "return True",
        "sctp/test_hostile.py sctp/test_outstanding.py",
    ),
    Defence(
        "forged packets: the verification tag",
        "sctp/arrivals.py",
        "if kind in (ChunkType.ABORT, ChunkType.SHUTDOWN_COMPLETE) and is_reflected and self._handshake.peer_tag:",
        "if True:",
        "sctp/test_hostile.py sctp/test_arrivals.py",
    ),
    Defence(
        "forged packets: the checksum",
        "sctp/arrivals.py",
        "elif not has_right_checksum(packet):\n            return False",
        "elif False:\n            return False",
        "sctp/test_hostile.py",
    ),
    Defence(
        "stream floods: streams that are not there",
        "sctp/receiver.py",
        "if stream_id >= self.inbound:",
        "if False:",
        "sctp/test_hostile.py sctp/test_receiver.py",
    ),
    Defence(
        "chunk floods",
        "sctp/control_block.py",
        "if len(self._control) < self.config.max_control_chunks and",
        "if",
        "sctp/test_hostile.py",
    ),
    Defence(
        "chunk floods: gaps of the peer's making",
        "sctp/receive_queue.py",
        "except ResourceLimitError:\n            return False",
        "except ResourceLimitError:\n            return True",
        "sctp/test_hostile.py sctp/test_receive_queue.py",
    ),
    Defence(
        "reassembly bombs: a message without end",
        "sctp/reassembly.py",
        "if run.size > self._max_size:",
        "if False:",
        "sctp/test_hostile.py sctp/test_reassembly.py",
    ),
    Defence(
        "reassembly bombs: messages begun and never ended",
        "sctp/reassembly.py",
        "if len(self._runs) + len(self._by_key) >= self._max_partial:",
        "if False:",
        "sctp/test_hostile.py sctp/test_reassembly.py",
    ),
    Defence(
        "reassembly bombs: fragments that never become a message",
        "sctp/reassembly.py",
        "return is_next or self._pieces < self._max_fragments",
        "return True",
        "sctp/test_hostile.py sctp/test_reassembly.py",
    ),
    Defence(
        "reassembly bombs: messages that nobody takes",
        "sctp/receiver.py",
        "if len(self._events) >= self._max_events:",
        "if False:",
        "sctp/test_hostile.py",
    ),
    Defence(
        "reassembly bombs: more than the window",
        "sctp/receiver.py",
        "if self._waiting() + size > self._window and",
        "if False and",
        "sctp/test_hostile.py",
    ),
    Defence(
        "TSN wrap: what is acknowledged",
        "sctp/arrivals.py",
        "(behind - (TSN_MASK + 1) if behind >= 0x80000000 else behind)",
        "behind",
        "sctp/test_hostile.py sctp/test_transfer.py sctp/test_arrivals.py",
    ),
    Defence(
        "TSN wrap: far ahead",
        "sctp/receiver.py",
        "if ahead > MAX_GAP:\n            return False",
        "if False:\n            return False",
        "sctp/test_hostile.py sctp/test_receiver.py",
    ),
    Defence(
        "cookie theft: one of another association",
        "sctp/cookie.py",
        'if len(data) != SIZE or not hmac.compare_digest(hmac.digest(key, body, "sha256"), mac):',
        "if len(data) != SIZE:",
        "sctp/test_cookie.py sctp/test_handshake.py",
    ),
    Defence(
        "cookie theft: with another tag",
        "sctp/handshake.py",
        "if packet_tag != cookie.local_tag:",
        "if False:",
        "sctp/test_handshake.py sctp/test_arrivals.py",
    ),
    Defence(
        "cookie theft: an old one",
        "sctp/handshake.py",
        "is_old = age - cookie.made_at / 1_000 > self._config.cookie_life",
        "is_old = False",
        "sctp/test_handshake.py sctp/test_arrivals.py",
    ),
    Defence(
        "consent withheld",
        "ice/consent.py",
        "return now >= self.expires_at",
        "return False",
        "ice/test_consent.py connection/test_hostile.py",
    ),
    Defence(
        "candidates that point where they must not",
        "ice/trickle.py",
        "reason = refusal(host, self._config.allowed_networks)",
        "reason = None",
        "connection/test_hostile.py",
    ),
    Defence(
        "candidates that point at a metadata service",
        "ice/address_policy.py",
        "if address in _METADATA:",
        "if False:",
        "connection/test_hostile.py ice/test_address_policy.py",
    ),
    Defence(
        "candidates that point at loopback inside another address",
        "ice/address_policy.py",
        "for meant in (address, *_embedded(address)):",
        "for meant in (address,):",
        "connection/test_hostile.py ice/test_address_policy.py",
    ),
    Defence(
        "TURN as a relay into private nets",
        "turn/peers.py",
        "return not any(address in network for network in REFUSED_IPV4)",
        "return True",
        "turn/test_peers.py turn/server/test_server.py",
    ),
    Defence(
        "TURN as a relay into private nets: NAT64 and mapped addresses",
        "turn/peers.py",
        "return all(is_public(spelling) for spelling in spellings)",
        "return is_public(address)",
        "turn/test_peers.py turn/server/test_server.py",
    ),
    Defence(
        "TURN as a relay into private nets: 6to4, Teredo and all that is not global",
        "turn/peers.py",
        "return address in GLOBAL_UNICAST and not any(address in network for network in REFUSED_IPV6)",
        "return address in GLOBAL_UNICAST",
        "turn/test_peers.py",
    ),
    Defence(
        "TURN as a relay into private nets: decimal and short spellings in the configuration",
        "turn/peers.py",
        "return ipaddress.ip_network(text)\n",
        "return ipaddress.ip_network(int(text) if text.isdigit() else text)\n",
        "turn/test_peers.py",
    ),
    Defence(
        "TURN as a relay into the server itself: what is marked",
        "turn/server/server.py",
        "channel.is_inside = peer[0] in self._own_hosts",
        "channel.is_inside = False",
        "turn/server/test_server.py",
    ),
    Defence(
        "TURN as a relay into the server itself: the fast way",
        "turn/server/forwarding.py",
        " or channel.is_inside:",
        ":",
        "turn/server/test_forwarding.py",
    ),
    Defence(
        "TURN as a relay into the server itself: the whole way",
        "turn/server/relaying.py",
        "if peer[0] in self._own_hosts:",
        "if False:",
        "turn/server/test_server.py turn/server/test_handover.py",
    ),
    Defence(
        "credential guessing",
        "turn/server/authenticator.py",
        "if not self._bucket(self._guesses, host, now).has(1, now):\n            return None",
        "if False:\n            return None",
        "turn/server/test_authenticator.py",
    ),
    Defence(
        "credential guessing with made-up nonces",
        "turn/server/nonce.py",
        "if not hmac.compare_digest(token[_TIME_SIZE:], self._mac(time, source)):\n            return False",
        "if False:\n            return False",
        "turn/server/test_nonce.py turn/server/test_authenticator.py",
    ),
    Defence(
        "another's allocation",
        "turn/server/server.py",
        "elif allocation is not None and allocation.username != result.username:",
        "elif False:",
        "turn/server/test_authenticator.py turn/server/test_server.py",
    ),
    Defence(
        "allocation floods of one user",
        "turn/server/server.py",
        "if self._persons[person] + elsewhere >= self._config.max_allocations_per_user:",
        "if False:",
        "turn/server/test_server.py",
    ),
    Defence(
        "allocation floods of all",
        "turn/server/server.py",
        "if len(self._allocations) + self._openings.count + all_elsewhere >= self._config.max_allocations:",
        "if False:",
        "turn/server/test_server.py",
    ),
    Defence(
        "challenge floods",
        "turn/server/authenticator.py",
        "if not self._bucket(self._challenges, _host_key(client), now).take(1, now):\n            return None",
        "if False:\n            return None",
        "turn/server/test_authenticator.py",
    ),
    *(Defence(*row, part="libp2p") for row in (*libp2p_defences.ROWS, *protocol_defences.ROWS, *service_defences.ROWS)),
    *(Defence(*row, part="net") for row in network_defences.ROWS),
    *(Defence(*row, part="calls") for row in calls_defences.ROWS),
    *(Defence(*row, part=".") for row in calls_defences.SERVICE_ROWS),
    *(Defence(*row, part="ipfs") for row in exchange_defences.ROWS),
)


def main() -> int:
    """Take away what the command line names, or everything in turn; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks that begin so; all by default")
    arguments = parser.parse_args()
    wanted = [one for one in DEFENCES if not arguments.names or one.attack.startswith(tuple(arguments.names))]
    missed = []
    with tempfile.TemporaryDirectory(prefix="zwerm-defences-") as folder:
        copy = copy_of_the_tree(Path(folder))
        for one in wanted:
            outcome = without(one, copy)
            print(f"{one.attack}: {outcome}", flush=True)
            if not outcome.startswith("noticed"):
                missed.append(one.attack)
    print(f"{len(wanted)} defences, {len(wanted) - len(missed)} missed by a test when they are gone")
    return int(bool(missed) or not wanted)


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what tests need, without what is compiled."""
    ignore = shutil.ignore_patterns("*.so", "__pycache__", "node_modules", "suites", "screenshots")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, folder)
    return folder


def without(defence: Defence, copy: Path) -> str:
    """Run the tests of a defence that is not there, in the copy; say what they came to."""
    path = copy / defence.path
    text = path.read_text("utf-8")
    if text.count(defence.there) != 1:
        return f"NOT TRIED, {defence.there!r} stands {text.count(defence.there)} times in {defence.path}"
    path.write_text(text.replace(defence.there, defence.instead), "utf-8")
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                "-m",
                "not slow",
                *defence.test_paths,
            ],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy / "src"), "ZWERM_FORM": "", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "noticed, by a test that did not end"
    finally:
        path.write_text(text, "utf-8")
    failed = [line.split(" ")[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode == 1 and failed:
        return f"noticed by {failed[0].rpartition('/')[2]}"
    return f"NOT NOTICED, pytest ended with {done.returncode}: {done.stdout[-300:]}"


if __name__ == "__main__":
    sys.exit(main())
