"""Builds the hot modules with mypyc where a C compiler is found; without one the same files run as plain Python."""

import os
import shutil
import sys

from setuptools import setup

COMPILED: list[str] = [
    "src/zwerm/ipfs/ipld/cbor_reader.py",  # 500 records: 2.3 ms to 0.4; links of 28 kB: 1.2 ms to 0.02
    "src/zwerm/ipfs/ipld/cbor_writer.py",  # 500 records: 1.7 ms to 0.5
    "src/zwerm/ipfs/ipld/dag_pb.py",  # 10,000 links: parsed in 15 ms to 9, written in 8 ms to 4
    # SCTP, both ends: a packet of 64 KiB messages from 5.9 us to 1.9, a message of 64 bytes from 4.9 us to 1.3
    "src/zwerm/webrtc/sctp/arrivals.py",
    "src/zwerm/webrtc/sctp/association.py",
    "src/zwerm/webrtc/sctp/congestion.py",
    "src/zwerm/webrtc/sctp/control_block.py",
    "src/zwerm/webrtc/sctp/events.py",
    "src/zwerm/webrtc/sctp/message.py",
    "src/zwerm/webrtc/sctp/outstanding.py",
    "src/zwerm/webrtc/sctp/pacing.py",
    "src/zwerm/webrtc/sctp/packet.py",
    "src/zwerm/webrtc/sctp/reassembly.py",
    "src/zwerm/webrtc/sctp/receive_queue.py",
    "src/zwerm/webrtc/sctp/receiver.py",
    "src/zwerm/webrtc/sctp/rto.py",
    "src/zwerm/webrtc/sctp/send_queue.py",
    "src/zwerm/webrtc/sctp/sender.py",
    "src/zwerm/webrtc/sctp/chunks/sack.py",
    "src/zwerm/webrtc/sctp/reconfiguration.py",
    "src/zwerm/core/rangeset.py",
    "src/zwerm/core/timers.py",
    # Above and below it, for each packet and each turn of the loop
    "src/zwerm/webrtc/connection/transport.py",
    "src/zwerm/webrtc/datachannel/channel.py",
    "src/zwerm/webrtc/datachannel/channels.py",
    "src/zwerm/webrtc/dtls/connection.py",
    "src/zwerm/webrtc/dtls/records.py",
    "src/zwerm/webrtc/dtls/replay.py",
    # A message there and back from 157 us to 105; 1,000 idle connections from 3.3 % of a core to 2.6
    "src/zwerm/net/alarm.py",
    "src/zwerm/net/udp.py",
    "src/zwerm/webrtc/connection/aio.py",
    "src/zwerm/webrtc/connection/statistics.py",
    "src/zwerm/webrtc/ice/agent.py",
    "src/zwerm/webrtc/ice/check.py",
    "src/zwerm/webrtc/ice/checklist.py",
    "src/zwerm/webrtc/ice/consent.py",
    "src/zwerm/webrtc/ice/deadlines.py",
    "src/zwerm/webrtc/ice/gather.py",
    "src/zwerm/webrtc/ice/generations.py",
    "src/zwerm/webrtc/ice/nomination.py",
    "src/zwerm/webrtc/ice/outbox.py",
    "src/zwerm/webrtc/ice/pair.py",
    "src/zwerm/webrtc/ice/session.py",
    "src/zwerm/webrtc/ice/steady.py",
    "src/zwerm/webrtc/ice/told.py",
    "src/zwerm/webrtc/ice/transactions.py",
    "src/zwerm/webrtc/stun/prepared.py",
]


def extensions() -> list[object]:
    """Return the compiled form of `COMPILED`, or nothing where it cannot be made."""
    if os.environ.get("ZWERM_PURE") == "1" or not COMPILED:
        return []
    if not (shutil.which("cc") or shutil.which("gcc")):
        print("zwerm: no C compiler found, the plain Python form is used", file=sys.stderr)
        return []
    from mypyc.build import mypycify

    # Only what is compiled has to satisfy the mypy that happens to be installed, not all that it imports; and what it
    # imports from elsewhere need not be there while it is built.
    # What comes from such a one may be anything.
    options = ["--follow-imports=silent", "--ignore-missing-imports", "--no-warn-return-any"]
    built = list(mypycify([*options, *COMPILED], opt_level="3"))
    for extension in built:
        extension.optional = True  # a compiler that fails leaves the plain form
    return built


setup(ext_modules=extensions())
