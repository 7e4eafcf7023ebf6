"""A server of PeerJS takes any connection and any text, and says nothing in anybody's name but the sender's."""

import json

from zwerm.calls.peerjs import PASSED, PeerConfig, PeerRealm, PeerSay

SEEDS = [
    b'{"type":"OFFER","dst":"bob","payload":{"sdp":{"type":"offer","sdp":"v=0"},"type":"data","connectionId":"dc_1"}}',
    b'{"type":"CANDIDATE","dst":"cid","src":"bob","payload":{"candidate":"candidate:1"}}',
    b'{"type":"LEAVE"}',
    b'{"type":"LEAVE","dst":"bob"}',
    b'{"type":"HEARTBEAT"}',
    b'{"type":"EXPIRE","dst":"bob","src":""}',
    b'{"type":"OFFER","dst":"bob","payload":"\\ud800"}',
    b'{"type":"OFFER","dst":"bob","payload":NaN}',
    b"some id",
    b"[" * 300,
]
_CONFIG = PeerConfig(peers=8, kept=16, kept_for_one=4)


def fuzz(data: bytes) -> None:
    text = data.decode(errors="surrogatepass" if data.isascii() else "replace")
    realm = PeerRealm(_CONFIG)
    realm.connect("a", "ann", "t", "peerjs", "h", 0.0)
    realm.connect("b", "bob", "t", "peerjs", "h", 0.0)
    realm.connect("x", text, text[::-1], text[:6], text, 0.0)
    for connection in ("a", "x", "a"):
        realm.receive(connection, text, 1.0)
    realm.connect("y", text, "t", "peerjs", "h", 2.0)
    realm.receive("y", text, 2.0)
    realm.handle_timeout(10.0)
    realm.lost("x")
    while (event := realm.next_event()) is not None:
        if isinstance(event, PeerSay):
            said = json.loads(event.text)
            assert event.text.isascii()
            if said["type"] in PASSED - {"EXPIRE"}:
                assert said["src"] in ("ann", text)
    assert len(realm) <= _CONFIG.peers
    assert realm.kept == 0
