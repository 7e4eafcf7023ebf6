"""More of what `tools/defences.py` takes away: those of the calls service."""

from __future__ import annotations

from typing import Final

_PEERJS: Final = "test_peerjs.py"
_ROOMS: Final = "test_rooms.py"

ROWS: Final = (
    (
        "calls: a session taken over by another device",
        "sessions.py",
        "if session is None or session.device != device:",
        "if session is None:",
        "test_sessions.py",
    ),
    (
        "calls: events for a device that does not read",
        "mailbox.py",
        "if len(self._kept) >= self._limit or self._bytes + len(text) > self._limit_bytes:",
        "if False:",
        "test_mailbox.py",
    ),
    (
        "calls: acknowledging what was never sent",
        "mailbox.py",
        "if number > self._numbered - self._unsent:",
        "if False:",
        "test_mailbox.py",
    ),
    ("calls: gigantic messages", "message.py", "if len(text) > limit:", "if False:", "test_message.py"),
    ("calls: a field twice", "message.py", "if len(found) != len(pairs):", "if False:", "test_message.py"),
    (
        "calls: forged signatures",
        "identity.py",
        "    except (ValueError, InvalidSignature):\n        return False",
        "    except (ValueError, InvalidSignature):\n        return True",
        "test_identity.py",
    ),
    (
        "calls: two devices that answer at once",
        "ringing.py",
        'raise Refused("not-yours", "A call is answered by whom it is for")\n        if call.state is State.ANSWERED:',
        'raise Refused("not-yours", "A call is answered by whom it is for")\n        if False:',
        "test_ringing.py",
    ),
    (
        "calls: answering somebody else's call",
        "ringing.py",
        'if call.callee != by.name:\n            raise Refused("not-yours", "A call is answered',
        'if False:\n            raise Refused("not-yours", "A call is answered',
        "test_ringing.py",
    ),
    (
        "calls: signals to somebody one has no call with",
        "switchboard.py",
        "if by.device not in ends or to not in ends or to == by.device:",
        "if False:",
        "test_switchboard.py",
    ),
    (
        "calls: a room of ten thousand guests",
        "rooms.py",
        "if same >= (self._config.",
        "if False and (self._config.",
        _ROOMS,
    ),
    (
        "calls: a host's rights for guests",
        "rooms.py",
        "if not room.members[by.device].is_host:",
        "if False:",
        _ROOMS,
    ),
    ("calls: floods at once", "limits.py", "if left < 1.0:", "if False:", "test_limits.py"),
    ("PeerJS: an ID taken over", "peerjs.py", "is not None and old.token != token:", "is not None and False:", _PEERJS),
    (
        "PeerJS: forged senders",
        "peerjs.py",
        'message["src"] = peer.id',
        'message["src"] = message.get("src", "")',
        _PEERJS,
    ),
    (
        "PeerJS: messages kept without end",
        "peerjs.py",
        "if len(mine) >= self._config.kept_for_one or self._kept >= self._config.kept:",
        "if False:",
        _PEERJS,
    ),
    (
        "PeerJS: peers of one address without end",
        "peerjs.py",
        "self._of_host.get(host, 0) >= config.peers_of_host",
        "False",
        _PEERJS,
    ),
    (
        "PeerJS: floods of messages",
        "peerjs.py",
        'if peer is None or self._rates.take("messages", connection, self._config.rate, now):',
        "if peer is None:",
        _PEERJS,
    ),
    (
        "PeerJS: markup as an ID",
        "peerjs.py",
        "not _ID.fullmatch(peer_id) or",
        "",
        _PEERJS,
    ),
    (
        "calls on several processes: gigantic packets",
        "bus/packet.py",
        "if len(data) > MAX_PACKET:",
        "if False:",
        "bus/test_packet.py",
    ),
    (
        "calls on several processes: endless notes",
        "bus/neighbours.py",
        'if line[0] == "+" and neighbour.part_size <= MAX_NOTE:',
        'if line[0] == "+":',
        "bus/test_neighbours.py",
    ),
    (
        "calls on several processes: a process that does not read",
        "bus/neighbours.py",
        "if len(neighbour.kept) > self._config.kept or neighbour.characters > self._config.kept_characters:",
        "if False:",
        "bus/test_neighbours.py",
    ),
    (
        "calls on several processes: calling others dead when one's own way is cut",
        "bus/neighbours.py",
        "if not self._is_linked or now < self._beat_at:",
        "if now < self._beat_at:",
        "bus/test_neighbours.py",
    ),
)
