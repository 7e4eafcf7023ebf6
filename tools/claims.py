"""What zwerm claims, and the command that shows it: the rows of docs/verified.md.

A row whose command begins with `pytest` is read off the run of the whole suite. The others are commands of their own:
`make test-all` runs them but for the benchmarks, whose figures mean something on a quiet machine only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

PASSED: Final = r"\d+ passed"


class Claim(NamedTuple):
    """One row; its figure is what the pattern finds in the command's output: its groups, or all of it."""

    claim: str
    command: str
    pattern: str = PASSED
    needs: str = ""  # a variable of the environment that names what we do not ship; unset, the row is not run


CLAIMS: Final = (
    Claim(
        "The public ipld/codec-fixtures pass (dag-pb, dag-cbor, dag-json; negative ones refused)",
        "python tools/codec_fixtures.py $CODEC_FIXTURES",
        r"\d+ fixtures, .* failures",
        needs="CODEC_FIXTURES",
    ),
    Claim(
        "The JavaScript codecs read and write the same bytes, and refuse nothing that we accept",
        "pytest tests/interop/test_ipld_codecs.py",
    ),
    Claim(
        "The published cases of trustless pathing come out block by block",
        "pytest tests/interop/test_trustless_pathing.py",
    ),
    Claim(
        "Parsers of IPLD and CAR raise nothing but WireError",
        "ZWERM_EXAMPLES=5000 pytest -q --timeout 3600 tests/ipfs/ipld tests/ipfs/car",
    ),
    Claim("CAR export from a store to a file", "python -m benchmarks car", r"CAR export.* ([\d,.]+) (MB/s)"),
    Claim(
        "CAR import, verified and durable",
        "python -m benchmarks car",
        r"CAR import.*? ([\d,.]+) (MB/s) .* ([\d.]+x) .*",
    ),
    Claim("CAR read in memory, verified", "python -m benchmarks car", r"CAR read.*? ([\d,.]+) (MB/s) .* ([\d.]+x) .*"),
    Claim(
        "`make up` in a clean clone, to a page that answers, with the compiled form",
        "python -m benchmarks make_up",
        r"a clean clone, to its page +([\d,.]+) (s) ",
    ),
    Claim("`make up` again, to the page", "python -m benchmarks make_up", r"again, to its page +([\d,.]+) (s) "),
    Claim("dag-cbor read, strict, beside cbor2", "python -m benchmarks ipld", r"cbor2 .* ([\d.]+x) "),
    Claim("dag-pb node of 10,000 links written", "python -m benchmarks ipld", r"dag-pb written.*? ([\d,.]+) (ms) "),
    Claim(
        "The same input gives the same CID as Helia (three profiles) and as Kubo 0.22 (its default)",
        "pytest tests/interop/test_unixfs_cids.py",
    ),
    Claim("The gateway does what each sentence of its specifications asks of a gateway", "pytest tests/ipfs/gateway"),
    Claim(
        "The functional suite of py-ipfs-http-client 0.7.0 passes, 18 exclusions with reasons",
        "pytest tests/interop/test_ipfshttpclient.py",
    ),
    Claim("Files writes survive `kill -9` at random moments, 220 of them", "pytest tests/ipfs/mfs/test_files_crash.py"),
    Claim(
        "The store survives `kill -9` at random moments, 220 of them, and a power cut at every call",
        "pytest tests/ipfs/blockstore/test_kills.py tests/ipfs/blockstore/test_power_loss.py",
    ),
    Claim("The mutable file tree has Kubo's own published hashes (`t0250-files-api.sh`)", "pytest tests/ipfs/mfs"),
    Claim(
        "packaging/Containerfile builds, on Debian made here in place of its base image, and what it builds runs",
        "tools/try-container",
        r"the image builds .*",
        needs="THROWAWAY_MACHINE",
    ),
    Claim(
        "Eight kinds of home with each other, with TURN and without: 128 cells as theory says, under the virtual clock",
        "pytest tests/webrtc/ice/test_nat_matrix.py",
    ),
    Claim(
        "36 pairs of homes behind real translators, with TURN and without; IPv6 and ICE-TCP: cells as theory says",
        "pytest tests/netlab/test_matrix.py tests/interop/test_ice_tcp.py",
    ),
    Claim(
        "1 GiB streams through a data channel with back pressure; 200 connections leave nothing behind",
        "pytest tests/webrtc/w3c/test_endurance.py",
    ),
    Claim(
        "A STUN or TURN server, or signaling, that dies at any stage leaves a path or a clear state",
        "pytest tests/webrtc/ice/test_deaths.py",
    ),
    Claim(
        "A peer whose process is killed is missed within the times of RFC 7675",
        "pytest tests/webrtc/w3c/test_killed_peer.py",
    ),
    Claim(
        "Each defence of WebRTC, libp2p, bitswap and IPNS against an attack is missed by a test when it is taken away",
        "python tools/defences.py",
        r"\d+ defences, .* gone",
    ),
    Claim(
        "4 MB over a satellite (600 ms, 2 % lost, 1 Mbit/s): whole, nothing twice",
        "python -m tests.netlab.far",
        r"satellite: (.*)",
    ),
    Claim(
        "4 MB over a link of 1 Mbit/s that is away for a minute in every five: whole, nothing twice",
        "python -m tests.netlab.far",
        r"\naway for a minute: (.*)",
    ),
    Claim(
        "4 MB over a satellite that is away for a minute: whole, nothing twice",
        "python -m tests.netlab.far",
        r"satellite, away for a minute: (.*)",
    ),
    Claim(
        "4 MB over the satellite with CUBIC alone, beside iperf3",
        "python -m tests.netlab.far",
        r"satellite with CUBIC: (.*)",
    ),
    Claim(
        "The giver of a file is killed, or the link cut for good: the reason is said, what came is not fetched again",
        "pytest tests/netlab/test_broken.py",
    ),
    Claim(
        "aiortc's data-channel examples run with their imports changed: zwerm with zwerm, and each way with aiortc",
        "python tools/aiortc_examples.py $AIORTC_EXAMPLES",
        r"\d+ runs of aiortc's examples",
        needs="AIORTC_EXAMPLES",
    ),
    Claim(
        "One directory of 1,000,000 files: sharded in under 150 MiB, a page from at most 20 blocks, a name from 4",
        "pytest tests/ipfs/unixfs/directory/test_bulk.py",
    ),
)
