"""`config/*`: our keys and Kubo's are two names of one setting."""

from __future__ import annotations

import json

import pytest

from tests.daemon.rpc.caller import Rpc, upload
from zwerm.daemon.rpc.config import KUBO_KEYS
from zwerm.daemon.rpc.errors import CommandError
from zwerm.node.setting import SettingError
from zwerm.node.settings import BY_KEY


def test_kubos_names_stand_for_settings_that_exist() -> None:
    assert set(KUBO_KEYS.values()) <= set(BY_KEY)


async def test_a_setting_has_two_names(rpc: Rpc) -> None:
    assert await rpc.call("config", "storage.max", "5GB") == {"Key": "storage.max", "Value": "5GB"}
    assert await rpc.call("config", "Datastore.StorageMax") == {"Key": "Datastore.StorageMax", "Value": "5GB"}
    await rpc.call("config", "Datastore.StorageGCWatermark", "70")
    assert (await rpc.call("config", "storage.collect_at"))["Value"] == 70


async def test_addresses_are_multiaddrs_for_kubos_programs(rpc: Rpc) -> None:
    assert (await rpc.call("config", "Addresses.API"))["Value"] == "/ip4/127.0.0.1/tcp/0"
    await rpc.call("config", "Addresses.Gateway", "/ip4/127.0.0.1/tcp/8081")
    assert (await rpc.call("config", "addresses.gateway"))["Value"] == "127.0.0.1:8081"
    assert (await rpc.call("config", "Addresses"))["Value"]["Gateway"] == "/ip4/127.0.0.1/tcp/8081"
    assert (await rpc.call("config", "addresses"))["Value"]["gateway"] == "127.0.0.1:8081"


async def test_values_can_be_truths_and_json(rpc: Rpc) -> None:
    await rpc.call("config", "discovery.lan", "true", bool=True)
    assert (await rpc.call("config", "Discovery.MDNS.Enabled"))["Value"] is True
    await rpc.call("config", "api.cors", '["http://localhost:3000"]', json=True)
    assert (await rpc.call("config", "api.cors"))["Value"] == ["http://localhost:3000"]
    with pytest.raises(CommandError, match="is not JSON"):
        await rpc.call("config", "api.cors", "[", json=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["storage.mx"], "did you mean storage.max"),
        (["Storage.Max"], "no setting is named 'Storage.Max'"),
        (["storage.max", "much"], "storage.max: 'much' is not a size"),
        (["Identity.PrivKey"], "is a secret"),
        (["Identity.PeerID", "x"], "follows from the node's key"),
        (["Fruit", "banana"], "no setting is named 'Fruit'"),
    ],
)
async def test_mistakes_are_named_and_change_nothing(rpc: Rpc, arguments: list[str], message: str) -> None:
    before = await rpc.call("config/show")
    with pytest.raises((CommandError, SettingError), match=message):
        await rpc.call("config", *arguments)
    assert await rpc.call("config/show") == before


async def test_the_token_is_never_shown(rpc: Rpc) -> None:
    await rpc.call("config", "api.token", "hunter2")
    shown = [
        await rpc.call("config", "api.token"),
        await rpc.call("config", "api"),
        await rpc.call("config/show"),
        await rpc.call("config/settings"),
    ]
    assert "hunter2" not in json.dumps(shown)
    assert rpc.node.config.text("api.token") == "hunter2"


async def test_all_settings_are_listed_with_what_they_mean(rpc: Rpc) -> None:
    rows = (await rpc.call("config/settings"))["Settings"]
    assert [row["Key"] for row in rows] == list(BY_KEY)
    assert all(row["Description"].endswith(".") for row in rows)


async def test_unset_returns_to_the_default(rpc: Rpc) -> None:
    await rpc.call("config", "storage.max", "5GB")
    await rpc.call("config/unset", "Datastore.StorageMax")
    assert (await rpc.call("config", "storage.max"))["Value"] == "0"


async def test_kubos_document_can_be_sent_back_changed(rpc: Rpc) -> None:
    document = await rpc.call("config/show")
    assert document["Identity"]["PeerID"] == str(rpc.node.identity)
    document["Datastore"]["StorageMax"] = "7GB"
    await rpc.call("config/replace", body=upload(json.dumps(document).encode()))
    assert (await rpc.call("config", "storage.max"))["Value"] == "7GB"
    document["Identity"]["PeerID"] = "somebody"
    with pytest.raises(CommandError, match=r"Identity.PeerID is somebody"):
        await rpc.call("config/replace", body=upload(json.dumps(document).encode()))


async def test_replacing_by_toml_checks_it_whole(rpc: Rpc) -> None:
    await rpc.call("config/replace", body=upload(b'profile = "test"\n[storage]\nmax = "9GB"\n'))
    assert (await rpc.call("config", "storage.max"))["Value"] == "9GB"
    for text, message in ((b"[storage\n", "is not TOML"), (b"{", "is not JSON"), (b"storage.mx = 1", "did you mean")):
        with pytest.raises((CommandError, SettingError), match=message):
            await rpc.call("config/replace", body=upload(text))
    assert (await rpc.call("config", "storage.max"))["Value"] == "9GB"


async def test_profiles_are_tried_and_applied(rpc: Rpc) -> None:
    tried = await rpc.call("config/profile/apply", "default", dry_run=True)
    assert tried["OldCfg"]["Addresses"]["API"] == "/ip4/127.0.0.1/tcp/0"
    assert rpc.node.config.profile == "test"
    with pytest.raises(CommandError, match="flatfs is not a profile; there are default"):
        await rpc.call("config/profile/apply", "flatfs")
    applied = await rpc.call("config/profile/apply", "test")
    assert applied["OldCfg"] == applied["NewCfg"]
