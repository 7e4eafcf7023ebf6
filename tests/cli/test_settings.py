"""Settings, keys, identity, pins, the repository: what a person types, and Kubo's words for it."""

from __future__ import annotations

import os
import re

from tests.cli.harness import Harness


def test_settings_are_listed_shown_set_and_unset(zwerm: Harness) -> None:
    listed = zwerm.run("config").out
    assert "#storage.max = 0\n" in listed
    assert zwerm.run("config", "show").out == listed
    assert zwerm.run("config", "storage.max", "50GB").out == ""
    assert zwerm.run("config", "storage.max").out == "50GB\n"
    assert zwerm.run("config", "Datastore.StorageMax").out == "50GB\n"
    assert "\nstorage.max = 50GB\n" in zwerm.run("config").out
    assert zwerm.run("config", "--json", "storage.max").json == {"Key": "storage.max", "Value": "50GB"}
    zwerm.run("config", "unset", "storage.max")
    assert zwerm.run("config", "storage.max").out == "0\n"
    assert "did you mean storage.max?" in zwerm.fails("config", "storage.mx")
    assert "one argument too many" in zwerm.fails("config", "a", "b", "c", status=2)


def test_a_setting_that_waits_says_so(served: Harness) -> None:
    assert "takes effect when the node is started again" in served.run("config", "http.idle", "10s").err
    assert served.run("config", "gateway.public", "https://example.org").err == ""


def test_filtered_addresses_are_added_listed_and_removed(zwerm: Harness) -> None:
    assert zwerm.run("swarm", "filters", "add", "/ip4/10.1.2.3/ipcidr/8").out == "/ip4/10.0.0.0/ipcidr/8\n"
    assert "is not a range" in zwerm.fails("swarm", "filters", "add", "/ip4/10.1.2.3/tcp/1")
    zwerm.run("swarm", "filters", "add", "/ip6/fc00::/ipcidr/7")
    assert zwerm.run("swarm", "filters").lines == ["/ip4/10.0.0.0/ipcidr/8", "/ip6/fc00::/ipcidr/7"]
    assert zwerm.run("swarm", "filters", "rm", "all").lines == ["/ip4/10.0.0.0/ipcidr/8", "/ip6/fc00::/ipcidr/7"]
    assert zwerm.run("swarm", "filters").out == ""


def test_a_quota_counts_at_once_also_in_a_daemon_that_runs(served: Harness) -> None:
    assert served.run("config", "storage.max", "2MiB").err == ""
    assert "the limit storage.max is 2097152" in served.fails("add", data=os.urandom(3_000_000))
    assert served.run("repo", "stat", "-s").lines[1] == "StorageMax: 2097152"
    served.run("config", "unset", "storage.max")
    served.add(os.urandom(3_000_000))


def test_settings_can_be_edited_and_replaced(zwerm: Harness) -> None:
    zwerm.run("config", "import.profile", "default")
    editor = {"EDITOR": "sed -i s/default/unixfs-v1-2025/"}
    zwerm.run("config", "edit", environment=editor)
    assert zwerm.run("config", "import.profile").out == "unixfs-v1-2025\n"
    broken = zwerm.run("config", "edit", environment={"EDITOR": "sed -i s/unixfs-v1-2025/unknown/"}, status=1)
    assert "is not one of" in broken.err
    assert "set EDITOR" in zwerm.run("config", "edit", environment={"EDITOR": "", "VISUAL": ""}, status=1).err
    file = zwerm.file("new.toml", 'profile = "test"\n[import]\nprofile = "default"\n')
    zwerm.run("config", "replace", file)
    assert zwerm.run("config", "import.profile").out == "default\n"


def test_profiles_show_what_they_change(local: Harness) -> None:
    local.run("init", "test")
    changes = local.run("config", "profile", "apply", "--dry-run", "default", environment={"ZWERM_PROFILE": ""}).out
    assert "Addresses.API: /ip4/127.0.0.1/tcp/0 -> " in changes
    assert "is not a profile" in local.fails("config", "profile", "apply", "flatfs")
    local.run("config", "profile", "apply", "lan")
    assert local.run("config", "profile", environment={"ZWERM_PROFILE": ""}).out == "lan\n"


def test_keys_are_made_listed_renamed_and_removed(zwerm: Harness) -> None:
    made = zwerm.run("key", "gen", "blog").out.strip()
    assert made.startswith("k51")
    assert zwerm.run("key", "list").lines == ["self", "blog"]
    assert f"{made} blog" in zwerm.run("key", "list", "-l").lines
    assert zwerm.run("key", "rename", "blog", "journal").lines == [f"Key {made} renamed to journal"]
    signature = zwerm.run("key", "sign", "-k", "journal", data="letter").out.strip()
    assert zwerm.run("key", "verify", "-k", made, "-s", signature, data="letter").out == "valid\n"
    assert zwerm.run("key", "verify", "-k", made, "-s", signature, data="other", status=1).out == "not valid\n"
    assert zwerm.run("key", "rm", "journal").lines == ["journal"]
    assert "no key named 'journal'" in zwerm.fails("key", "rm", "journal")


def test_a_secret_key_leaves_by_a_file_of_the_owner_only(local: Harness) -> None:
    made = local.run("key", "gen", "blog").out
    local.run("key", "export", "blog")
    file = local.folder / "blog.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "File exists" in local.fails("key", "export", "blog")
    local.run("key", "export", "-f", "pem-pkcs8-cleartext", "blog")
    local.run("key", "rm", "blog")
    assert local.run("key", "import", "back", file).out == made
    assert local.run("key", "import", "-f", "pem-pkcs8-cleartext", "pem", local.folder / "blog.pem").out == made


def test_a_secret_key_does_not_leave_by_the_daemon(served: Harness) -> None:
    served.run("key", "gen", "kept")
    assert "is not sent by the daemon" in served.fails("key", "export", "kept")
    assert served.daemon is not None
    assert served.daemon.rpc("key/export", "kept").status == 404


def test_the_node_and_its_versions(zwerm: Harness) -> None:
    shown = zwerm.run("id").json
    kubo, zwerm_version = shown["AgentVersion"].removeprefix("kubo/").split("/zwerm/")
    assert zwerm.run("id", "-f", "<id>\\n").out == shown["ID"] + "\n"
    assert zwerm.run("version").out == f"zwerm version {zwerm_version}\n"
    assert zwerm.run("--version").out == zwerm.run("version").out
    assert f"Kubo version: {kubo}" in zwerm.run("version", "--all").lines
    assert zwerm.run("version", "deps").lines[0].startswith("zwerm@")
    assert zwerm.run("bootstrap").out == zwerm.run("bootstrap", "list").out == ""
    assert "does not end in /p2p/ID" in zwerm.fails("bootstrap", "add", "/ip4/192.0.2.1/tcp/1")
    assert "zwerm cat" in zwerm.run("commands").lines
    assert "zwerm cat -o, --offset <int>" in zwerm.run("commands", "--flags").lines
    assert zwerm.run("commands", "--json").json["Name"] == "ipfs"


def test_pins_are_told_as_kubo_tells_them(zwerm: Harness) -> None:
    address = zwerm.add("to be pinned", "--pin=false")
    other = zwerm.add("to be pinned instead", "--pin=false")
    assert zwerm.run("pin", "add", "--name=mine", address).lines == [f"pinned {address} recursively"]
    assert f"{address} recursive mine" in zwerm.run("pin", "ls", "--names").lines
    assert address in zwerm.run("pin", "ls", "-q", "-t", "recursive").lines
    assert zwerm.run("pin", "ls", address).lines == [f"{address} recursive"]
    assert zwerm.run("pin", "update", address, other).lines == [f"updated {address} to {other}"]
    assert f"{other} ok" in zwerm.run("pin", "verify", "--verbose").lines
    assert zwerm.run("pin", "rm", data=other).lines == [f"unpinned {other}"]
    assert zwerm.run("pin", "add", "-r=false", address).lines == [f"pinned {address} directly"]
    assert "not pinned" in zwerm.fails("pin", "rm", other)
    zwerm.run("pin", "rm", address)


def test_the_repository_is_looked_after(zwerm: Harness) -> None:
    kept = zwerm.add("kept for good")
    loose = zwerm.add("not kept", "--pin=false")
    stat = zwerm.run("repo", "stat").out
    assert re.search(r"^NumObjects: \d+$", stat, re.MULTILINE)
    assert zwerm.run("repo", "stat", "-s").lines[0].startswith("RepoSize:")
    assert zwerm.run("stats", "repo", "-H").out.startswith("NumObjects:")
    assert loose in zwerm.run("repo", "ls").lines
    collected = zwerm.run("repo", "gc")
    assert f"removed {loose}" in collected.lines
    assert "blocks removed" in collected.err
    assert zwerm.run("repo", "gc", "-q").err == ""
    assert zwerm.run("cat", kept).out == "kept for good"
    assert zwerm.run("repo", "verify").lines == ["verify complete, all blocks validated."]
    assert zwerm.run("repo", "repair").lines == ["verify complete, all blocks validated."]
    assert zwerm.run("repo", "version", "-q").out.strip().isdecimal()
    assert "TotalIn: 0 B" in zwerm.run("stats", "bw").lines


def test_a_quota_is_kept_and_said(local: Harness) -> None:
    local.run("config", "storage.max", "1MB")
    assert "storage.max" in local.fails("add", data=os.urandom(5_000_000))
    local.run("add", data="small")
