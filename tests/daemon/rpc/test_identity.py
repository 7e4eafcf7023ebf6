"""`id` and `version`."""

from __future__ import annotations

import base64

import pytest

from tests.daemon.rpc.caller import Rpc
from zwerm import __version__
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.identity import KUBO_VERSION
from zwerm.identity.keys import PublicKey
from zwerm.identity.peer_id import PeerId


async def test_the_id_is_that_of_the_key(rpc: Rpc) -> None:
    found = await rpc.call("id")
    key = PublicKey.parse(base64.b64decode(found["PublicKey"]))
    assert PeerId.from_text(found["ID"]) == PeerId.of(key) == rpc.node.identity
    assert found["AgentVersion"] == f"kubo/{KUBO_VERSION}/zwerm/{__version__}"
    assert (await rpc.call("id", peerid_base="base36"))["ID"].startswith("k51")
    assert (await rpc.call("id", found["ID"])) == found


async def test_others_cannot_be_asked_offline(rpc: Rpc) -> None:
    with pytest.raises(CommandError, match="this node is offline"):
        await rpc.call("id", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA")


async def test_the_version_is_kubos_beside_ours(rpc: Rpc) -> None:
    found = await rpc.call("version")
    assert (found["Version"], found["Zwerm"]) == (KUBO_VERSION, __version__)
    assert found["Repo"].isdecimal()
    assert {"Path": "zwerm", "Version": __version__, "ReplacedBy": "", "Sum": ""} in await rpc.items("version/deps")
