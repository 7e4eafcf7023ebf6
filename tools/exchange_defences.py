"""The defences of bitswap and IPNS that `tools/defences.py` takes away, as in `tools/libp2p_defences.py`."""

from __future__ import annotations

from typing import Final

_MESSAGE: Final = "bitswap/message.py"
_MESSAGE_TESTS: Final = "bitswap/test_message.py"
_SERVER: Final = "bitswap/server.py"
_SERVER_TESTS: Final = "bitswap/test_server.py"
_AIO: Final = "bitswap/aio.py"
_AIO_TESTS: Final = "bitswap/test_aio.py"
_RECORD: Final = "ipns/record.py"
_RECORD_TESTS: Final = "ipns/test_record.py ipns/test_validator.py"

ROWS: Final = (
    (
        "bitswap: a block that is not what was asked for",
        "bitswap/client.py",
        "if asked:\n            self._blame(",
        "if False:\n            self._blame(",
        f"bitswap/test_client.py {_AIO_TESTS}",
    ),
    (
        "bitswap: blocks that nobody asked for",
        "bitswap/client.py",
        "elif peer.unasked > self.config.unasked:",
        "elif False:",
        f"bitswap/test_client.py {_AIO_TESTS}",
    ),
    (
        "bitswap: unasked blocks are stored",
        _AIO,
        "if self.client.is_wanted(cid.multihash):\n                wanted",
        "if True:\n                wanted",
        _AIO_TESTS,
    ),
    (
        "bitswap: presences of what nobody asked about",
        "bitswap/client.py",
        "if want is not None and peer in want.told:",
        "if want is not None:",
        "bitswap/test_client.py",
    ),
    (
        "bitswap: a peer that lied comes back",
        _AIO,
        "if self._banned.find(peer):\n            stream.reset()",
        "if False:\n            stream.reset()",
        _AIO_TESTS,
    ),
    (
        "bitswap: wantlist floods, in one message",
        _MESSAGE,
        "if len(wants) == MAX_ENTRIES:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: wantlist floods of one peer",
        _SERVER,
        "elif len(client.wants) >= self.config.wants:",
        "elif False:",
        f"{_SERVER_TESTS} {_AIO_TESTS}",
    ),
    (
        "bitswap: wantlist floods of many peers",
        _SERVER,
        "if len(self._clients) >= self.config.peers:",
        "if False:",
        _SERVER_TESTS,
    ),
    (
        "bitswap: answers without end",
        _SERVER,
        "if len(client.answers) < self.config.answers:",
        "if True:",
        _SERVER_TESTS,
    ),
    (
        "bitswap: wants and cancels without end",
        _SERVER,
        "if len(client.queue) > 2 * self.config.wants:",
        "if False:",
        _SERVER_TESTS,
    ),
    (
        "bitswap: peers that stop reading, by memory",
        _SERVER,
        "while self._turns and self._in_flight < self.config.in_flight:",
        "while self._turns:",
        _SERVER_TESTS,
    ),
    (
        "bitswap: peers that stop reading, by time",
        "bitswap/outgoing.py",
        "for part in _parts(pieces):\n                async with asyncio.timeout(self._stall):",
        "for part in _parts(pieces):\n                async with asyncio.timeout(None):",
        _AIO_TESTS,
    ),
    (
        "bitswap: peers that reset whatever they are given",
        _AIO,
        "goes_on = is_only_stream and self._breaks[peer] <= _BREAKS",
        "goes_on = is_only_stream",
        _AIO_TESTS,
    ),
    (
        "bitswap: one peer keeps the others waiting",
        _SERVER,
        "if client.has_work and len(self._busy.get(peer, ())) < self._at_once(peer):",
        "if client.has_work:",
        _SERVER_TESTS,
    ),
    (
        "bitswap: blocks without end in one message",
        _MESSAGE,
        "if len(payloads) > MAX_PAYLOADS:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: giant blocks",
        _MESSAGE,
        "if len(payloads[-1].data) > MAX_BLOCK:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: presences without end",
        _MESSAGE,
        "if len(presences) > MAX_ENTRIES:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: giant CIDs",
        _MESSAGE,
        "if len(data) > _MAX_CID:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: digests that are too short to mean anything",
        _MESSAGE,
        "if not multihash.MIN_DIGEST <= size <= end - start:",
        "if False:",
        _MESSAGE_TESTS,
    ),
    (
        "bitswap: a peer that is silent for ever",
        "bitswap/session.py",
        "patience = config.silence if is_silence else config.patience",
        'patience = float("inf") if is_silence else config.patience',
        "bitswap/test_client.py",
    ),
    (
        "IPNS: forged records",
        _RECORD,
        "if not key.verify(self.signature_v2, _V2_PREFIX + self.data):",
        "if False:",
        _RECORD_TESTS,
    ),
    (
        "IPNS: records of another key",
        _RECORD,
        "if not name.matches(key):",
        "if False:",
        _RECORD_TESTS,
    ),
    (
        "IPNS: records past their end of life",
        _RECORD,
        "if self.validity <= now:",
        "if False:",
        _RECORD_TESTS,
    ),
    (
        "IPNS: giant records",
        _RECORD,
        "if len(encoded) > MAX_RECORD:\n            raise WireError",
        "if False:\n            raise WireError",
        _RECORD_TESTS,
    ),
    (
        "IPNS: what old readers see differs from what is signed",
        _RECORD,
        "            _compare(fields, document)\n",
        "            pass\n",
        _RECORD_TESTS,
    ),
    (
        "IPNS: replay of older records",
        "ipns/store.py",
        "if held is not None and held.rank >= record.rank:",
        "if False:",
        "ipns/test_store.py ipns/test_resolver.py",
    ),
    (
        "IPNS: a newer record that ended is replaced by an older one",
        "ipns/resolver.py",
        "if best is not None and best.validity > self._clock():",
        "if best is not None:",
        "ipns/test_resolver.py",
    ),
    (
        "IPNS: records from the future, kept for ever",
        "ipns/cache.py",
        "now + min(lifetime, MAX_KEPT)",
        "now + lifetime",
        "ipns/test_cache.py ipns/test_resolver.py",
    ),
    (
        "IPNS: records from the future: the log names who gave them",
        "ipns/pubsub.py",
        "if doubt is not None and",
        "if False and",
        "ipns/test_pubsub.py",
    ),
    (
        "IPNS: times to live beyond the end of life",
        "ipns/resolver.py",
        "return min(record.ttl / SECOND, _life(record, now))",
        "return record.ttl / SECOND",
        "ipns/test_resolver.py",
    ),
    (
        "IPNS: names of others without end",
        "ipns/store.py",
        "if held is None:\n                connection",
        "if False:\n                connection",
        "ipns/test_store.py",
    ),
    (
        "IPNS: answers without end",
        "ipns/resolver.py",
        "for _ in range(self._config.max_records + len(tasks)):",
        "while True:",
        "ipns/test_resolver.py",
    ),
)
