"""Configuration: typed dotted keys over profiles, and what is refused."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zwerm.core.errors import LocalProtocolError, StorageError
from zwerm.node.address import Address
from zwerm.node.config import Config, profile_from_environment
from zwerm.node.setting import SettingError, parse_duration, parse_size
from zwerm.node.settings import BY_KEY, PROFILES, SETTINGS, check_profile_rules


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_default_is_canonical_and_every_key_has_one_sentence(setting) -> None:
    assert setting.check(setting.default) == setting.default
    setting.kind.value(setting.default)
    assert setting.doc.endswith(".")
    assert setting.doc[0].isupper()
    assert ". " not in setting.doc


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_names_known_keys_and_keeps_its_own_rules(profile: str) -> None:
    sentence, values = PROFILES[profile]
    assert sentence.endswith(".")
    merged = {setting.key: setting.default for setting in SETTINGS} | {
        key: BY_KEY[key].check(value) for key, value in values.items()
    }
    check_profile_rules(profile, merged)


def test_defaults_are_kubos_ports_on_the_loopback() -> None:
    config = Config()
    assert config.address("addresses.api") == Address("127.0.0.1", 5001)
    assert config.address("addresses.gateway") == Address("127.0.0.1", 8080)
    assert config.address("addresses.web") == Address("127.0.0.1", 8088)


def test_values_come_from_the_run_then_the_file_then_the_profile(path: Path) -> None:
    path.write_text('profile = "lowpower"\n[http]\nidle = "20s"\n')
    config = Config(path)
    assert config.integer("performance.threads") == 4
    assert config.duration("http.idle") == 20
    assert Config(path, overrides={"http.idle": "1m"}).duration("http.idle") == 60
    assert Config(path, profile="default").integer("performance.threads") == 8


def test_typed_text_becomes_the_type_of_the_key(path: Path) -> None:
    config = Config(path)
    config.set("performance.threads", "16")
    config.set("history.record", "false")
    config.set("api.cors", "http://a.example, http://b.example")
    config.set("gateway.subdomains", '["localhost", "dweb.example"]')
    config.set("storage.max", "5GiB")
    again = Config(path)
    assert again.integer("performance.threads") == 16
    assert again.boolean("history.record") is False
    assert again.texts("api.cors") == ("http://a.example", "http://b.example")
    assert again.texts("gateway.subdomains") == ("localhost", "dweb.example")
    assert again.size("storage.max") == 5 * 1024**3


def test_setting_a_key_keeps_the_comments(path: Path) -> None:
    Config.create(path)
    before = path.read_text()
    config = Config(path)
    config.set("log.level", "debug")
    path.write_text(path.read_text() + "# mine\n")
    config = Config(path)
    config.set("log.level", "error")
    assert path.read_text().startswith(before)
    assert path.read_text().endswith("# mine\n")
    config.unset("log.level")
    assert config.text("log.level") == "info"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("adresses.api", "x", "did you mean addresses.api"),
        ("zzz", 1, "no setting is named 'zzz'"),
        ("addresses.api", "nowhere", "not an address"),
        ("addresses.api", "127.0.0.1:99999", "not an address"),
        ("storage.max", "lots", "not a size"),
        ("storage.max", -1, "not text"),
        ("http.idle", "soon", "not a duration"),
        ("history.policy", "last 0", "not a policy"),
        ("import.chunker", "size-0", "not a chunker"),
        ("performance.threads", 0, "from 2 to 64"),
        ("performance.threads", True, "from 2 to 64"),
        ("history.record", "maybe", "neither true nor false"),
        ("log.level", "loud", "not one of debug, info"),
        ("bootstrap", ["1.2.3.4:4001"], "not a multiaddr"),
        ("api.cors", ["example.org"], "not an origin"),
        ("api.cors", "[1", "not a list"),
        ("api.hosts", ["a b"], "not a host name"),
        ("gateway.public", "ftp://x", "not an address of the web"),
        ("gateway.denylist", 5, "not a list"),
        ("api.token", "a\nb", "cannot be shown"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_and_changes_nothing(path: Path, key, value, message: str) -> None:
    config = Config(path)
    config.set("log.level", "debug")
    before = path.read_text()
    with pytest.raises(SettingError, match=message) as caught:
        config.update({"http.grace": "1s", key: value})
    assert "\n" not in str(caught.value)
    assert path.read_text() == before
    assert config.duration("http.grace") == 3


def test_a_file_that_is_not_toml_or_holds_an_unknown_key_is_named(path: Path) -> None:
    path.write_text("= 1")
    with pytest.raises(SettingError, match=f"{path} is not TOML"):
        Config(path)
    path.write_text("[storage]\nmaximum = 1\n")
    with pytest.raises(SettingError, match=f"{path}: no setting is named 'storage.maximum'; did you mean storage.max"):
        Config(path)


def test_the_test_profile_stays_on_the_loopback_and_joins_nobody(path: Path) -> None:
    config = Config(path, profile="test")
    assert config.address("addresses.api") == Address("127.0.0.1", 0)
    with pytest.raises(SettingError, match="loopback"):
        config.set("addresses.gateway", "0.0.0.0:0")
    with pytest.raises(SettingError, match="joins nobody"):
        config.set("bootstrap", "/ip4/192.0.2.1/tcp/4001")
    config.set("addresses.gateway", "[::1]:9000")
    assert config.address("addresses.gateway") == Address("::1", 9000)


def test_a_port_offset_moves_fixed_ports_and_leaves_free_ones() -> None:
    config = Config(port_offset=100, overrides={"addresses.web": "127.0.0.1:0"})
    assert config.address("addresses.api") == Address("127.0.0.1", 5101)
    assert config.address("addresses.web") == Address("127.0.0.1", 0)
    with pytest.raises(LocalProtocolError, match="outside"):
        Config(port_offset=65_000)


def test_an_empty_address_means_nowhere() -> None:
    assert Config(overrides={"addresses.web": ""}).address("addresses.web") is None


def test_the_whole_file_can_be_replaced_after_a_check(path: Path) -> None:
    config = Config(path)
    config.replace('[log]\nlevel = "error" # quiet\n')
    assert config.text("log.level") == "error"
    with pytest.raises(SettingError):
        config.replace("[log]\nlevel = 7\n")
    assert config.source == path.read_text() == '[log]\nlevel = "error" # quiet\n'


def test_shown_settings_say_what_was_set() -> None:
    config = Config(profile="test", overrides={"log.level": "debug"})
    shown = {item.setting.key: item for item in config.show()}
    assert shown["log.level"].is_set
    assert shown["addresses.api"].default == "127.0.0.1:0"
    assert not shown["addresses.api"].is_set
    assert config.table()["addresses"]["api"] == "127.0.0.1:0"
    assert config.raw("log.level") == "debug"
    with pytest.raises(SettingError, match="not a int"):
        config.integer("log.level")


def test_the_environment_names_a_profile() -> None:
    assert profile_from_environment({"ZWERM_PROFILE": "lan"}) == "lan"
    assert profile_from_environment({}) is None
    assert os.environ.get("ZWERM_PROFILE") == profile_from_environment()


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("10", 10), ("1kB", 1000), ("1.5 MiB", 1_572_864), ("2G", 2_000_000_000)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("250ms", 0.25), ("1h30m", 5400), ("7d", 604_800)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("digits", [20, 400, 5_000])
def test_numbers_without_end_are_refused(digits: int) -> None:
    with pytest.raises(LocalProtocolError, match="beyond every disk"):
        parse_size("9" * digits)
    with pytest.raises(LocalProtocolError, match="beyond every lifetime"):
        parse_duration("9" * digits + "h")
    with pytest.raises(LocalProtocolError, match="expected host:port"):
        Address.from_text("localhost:" + "9" * digits)


@pytest.mark.parametrize(
    ("text", "address", "multiaddr"),
    [
        ("127.0.0.1:5001", Address("127.0.0.1", 5001), "/ip4/127.0.0.1/tcp/5001"),
        ("[::1]:80", Address("::1", 80), "/ip6/::1/tcp/80"),
        ("/ip6/::/tcp/0", Address("::", 0), "/ip6/::/tcp/0"),
        ("/dns4/example.org/tcp/443", Address("example.org", 443), "/dns/example.org/tcp/443"),
        ("localhost:8080", Address("localhost", 8080), "/dns/localhost/tcp/8080"),
    ],
)
def test_addresses_in_both_spellings(text: str, address: Address, multiaddr: str) -> None:
    assert Address.from_text(text) == address
    assert Address.from_text(str(address)) == address
    assert address.multiaddr == multiaddr


@pytest.mark.parametrize("text", ["", ":", "a", "::1:80", "/ip4/1.2.3.4/udp/4", "a b:1", "h:-1", "h:²", "u@h:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(LocalProtocolError, match="expected host:port"):
        Address.from_text(text)


def test_loopback_and_wildcard_addresses_are_known() -> None:
    assert Address("127.0.0.2", 1).is_loopback
    assert Address("localhost", 1).is_loopback
    assert not Address("example.org", 1).is_loopback
    assert Address("0.0.0.0", 1).url == "http://127.0.0.1:1"
    assert Address("::", 1).url == "http://[::1]:1"
    assert Address("192.0.2.1", 1).url == "http://192.0.2.1:1"


def test_what_somebody_edited_meanwhile_is_not_lost(path: Path) -> None:
    config = Config(path)
    config.set("log.level", "debug")
    path.write_text(path.read_text() + '\n[http]\nidle = "5s" # mine\n')
    config.set("log.format", "json")
    assert config.duration("http.idle") == 5
    assert path.read_text().endswith('[http]\nidle = "5s" # mine\n')
    path.write_text("half a fi")
    with pytest.raises(SettingError, match="not TOML"):
        config.set("log.format", "text")
    assert path.read_text() == "half a fi"
    assert config.text("log.format") == "json"


def test_changes_from_several_threads_all_arrive(path: Path) -> None:
    config = Config(path)
    keys = [f"gateway.{name}" for name in ("isolate", "deserialized", "dnslink")] + ["storage.verify", "history.record"]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda key: config.set(key, not config.boolean(key)), keys))
    assert {item.setting.key for item in Config(path).show() if item.is_set} == set(keys)


def test_a_file_that_is_no_text_is_said(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingError, match="not UTF-8"):
        Config(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError, match="cannot read"):
        Config(path)
