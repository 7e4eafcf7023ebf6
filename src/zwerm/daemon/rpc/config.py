"""`config`, `config/*`: settings (Kubo, "RPC API", `/api/v0/config`), by zwerm's keys or by Kubo's.

Kubo's programs ask for `Addresses.Gateway` and its like. Those keys that mean the same here are answered and taken in
Kubo's spelling (`addresses.gateway` is ours); `config/show` gives Kubo's document and `config/settings` all of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from json import loads
from typing import TYPE_CHECKING, Any, Final

from zwerm.daemon.rpc.body import Body, read_one
from zwerm.daemon.rpc.errors import CommandError
from zwerm.daemon.rpc.registry import Context, argument, command, file_argument, flag
from zwerm.node.settings import SECRETS

if TYPE_CHECKING:
    from zwerm.node.config import Config

_LIMIT: Final = 1 << 20  # bytes of a configuration

# Kubo's key: ours. Addresses are shown as multiaddrs.
KUBO_KEYS: Final[Mapping[str, str]] = {
    "Addresses.Swarm": "addresses.swarm",
    "Addresses.API": "addresses.api",
    "Addresses.Gateway": "addresses.gateway",
    "Swarm.AddrFilters": "network.filters",
    "Bootstrap": "bootstrap",
    "Discovery.MDNS.Enabled": "discovery.lan",
    "Datastore.StorageMax": "storage.max",
    "Datastore.StorageGCWatermark": "storage.collect_at",
    "Datastore.HashOnRead": "storage.verify",
    "Import.UnixFSChunker": "import.chunker",
    "Import.HashFunction": "import.hash",
    "API.HTTPHeaders.Access-Control-Allow-Origin": "api.cors",
}
_PEER_ID: Final = "Identity.PeerID"
_SECRETS: Final = ("identity", "identity.privkey", "api.authorizations")


@command(
    "config",
    "Show or change one setting",
    arguments=[
        argument("key", "Its name, `storage.max` or Kubo's `Datastore.StorageMax`."),
        argument("value", "Its new value.", required=False),
    ],
    options=[flag("bool", text="The value is true or false."), flag("json", text="The value is JSON.")],
    repository_only=True,
)
async def config(
    context: Context, key: str, value: str | None = None, bool_: bool = False, json: bool = False
) -> dict[str, Any]:
    if key.lower() in _SECRETS:
        raise CommandError(f"{key} is a secret and is not shown")
    if value is None:
        return {"Key": key, "Value": _find(context, key)}
    given: Any = value
    if json:
        try:
            given = loads(value)
        except ValueError as error:
            raise CommandError(f"{value!r} is not JSON: {error}") from None
    elif bool_:
        given = value == "true"
    node, changes = context.node, {_our_key(key): given}
    await node.with_room(partial(asyncio.to_thread, node.config.update, changes))  # `history.policy` makes room, too
    return {"Key": key, "Value": _find(context, key)}


@command("config/show", "Show the settings in the shape of Kubo's configuration", repository_only=True)
async def config_show(context: Context) -> dict[str, Any]:
    return kubo_document(context)


@command("config/settings", "List all settings, with what they mean", repository_only=True)
async def config_settings(context: Context) -> dict[str, Any]:
    """Tell each setting's value, default, kind, whether it was set, and whether a change waits for the next start."""
    return {
        "Settings": [
            {
                "Key": shown.setting.key,
                "Value": _hidden(shown.setting.key, shown.value),
                "Default": shown.default,
                "Set": shown.is_set,
                "Kind": shown.setting.kind.name,
                "Restart": shown.setting.restart,
                "Description": shown.setting.doc,
            }
            for shown in context.node.config.show()
        ]
    }


@command(
    "config/unset",
    "Return settings to their defaults",
    arguments=[argument("key", "Their names.", variadic=True)],
    repository_only=True,
)
async def config_unset(context: Context, key: list[str]) -> None:
    await asyncio.to_thread(context.node.config.update, {_our_key(one): None for one in key})


@command(
    "config/replace",
    "Take all settings from a file",
    arguments=[file_argument("file", "TOML as in config.toml, or JSON in Kubo's shape.")],
    repository_only=True,
)
async def config_replace(context: Context, body: Body) -> None:
    text = (await read_one(body, _LIMIT)).decode("utf-8", "replace")
    if not text.lstrip().startswith("{"):
        await asyncio.to_thread(context.node.config.replace, text)
        return
    try:
        document = loads(text)
    except ValueError as error:
        raise CommandError(f"the file is not JSON: {error}") from None
    changes = _changes(context, document)
    await asyncio.to_thread(context.node.config.update, changes)


@command(
    "config/profile/apply",
    "Use another set of defaults",
    arguments=[argument("profile", "default, server, lan, lowpower or test.")],
    options=[flag("dry-run", text="Only show what would change.")],
    repository_only=True,
)
async def config_profile_apply(context: Context, profile: str, dry_run: bool = False) -> dict[str, Any]:
    from zwerm.node.settings import PROFILES

    if profile not in PROFILES:
        raise CommandError(f"{profile} is not a profile; there are {', '.join(PROFILES)}")
    before = kubo_document(context)
    if dry_run:
        from zwerm.node.config import Config

        tried = await asyncio.to_thread(Config, context.node.repository.path / "config.toml", profile=profile)
        return {"OldCfg": before, "NewCfg": _document(tried, str(context.node.identity))}
    await asyncio.to_thread(context.node.config.update, {"profile": profile})
    return {"OldCfg": before, "NewCfg": kubo_document(context)}


def kubo_document(context: Context) -> dict[str, Any]:
    """The settings that Kubo has too, nested as its configuration file is."""
    return _document(context.node.config, str(context.node.identity))


def _document(config: Config, peer_id: str) -> dict[str, Any]:
    values: dict[str, Any] = {_PEER_ID: peer_id}
    return _nested(values | {key: _shown(config, ours) for key, ours in KUBO_KEYS.items()})


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in values.items():
        *tables, name = key.split(".")
        place = document
        for table in tables:
            place = place.setdefault(table, {})
        place[name] = value
    return document


def _shown(config: Config, key: str) -> Any:
    """A setting as Kubo writes it."""
    value = config.raw(key)
    if key.startswith("addresses.") and isinstance(value, str) and value:
        from zwerm.node.address import Address

        return Address.from_text(value).multiaddr
    return str(value) if key == "storage.max" else value


def _hidden(key: str, value: Any) -> Any:
    return "(set)" if key in SECRETS and value else value


def _our_key(key: str) -> str:
    lower = key.lower()
    if lower == _PEER_ID.lower():
        raise CommandError(f"{_PEER_ID} follows from the node's key and cannot be set")
    return next((ours for kubo, ours in KUBO_KEYS.items() if kubo.lower() == lower and kubo == key), key)


def _find(context: Context, key: str) -> Any:
    """Return a setting or a whole table of them, in either spelling."""
    if key in SECRETS:
        return _hidden(key, context.node.config.raw(key))
    if key[:1].isupper():
        place: Any = kubo_document(context)
        for part in key.split("."):
            if not isinstance(place, dict) or part not in place:
                raise CommandError(f"no setting is named {key!r}; see `zwerm config`")
            place = place[part]
        return place
    place = context.node.config.table()
    for part in key.split("."):
        place = place.get(part) if isinstance(place, dict) else None
        if place is None:
            return context.node.config.raw(key)  # says which key was perhaps meant
    return (
        {name: _hidden(f"{key}.{name}", value) for name, value in place.items()} if isinstance(place, dict) else place
    )


def _changes(context: Context, document: Any) -> dict[str, Any]:
    """What a configuration in Kubo's shape, or nested tables of ours, changes."""
    if not isinstance(document, dict):
        raise CommandError("the file holds no JSON object")
    changes: dict[str, Any] = {}

    def visit(place: dict[str, Any], path: str) -> None:
        for name, value in place.items():
            key = f"{path}.{name}" if path else name
            if key == _PEER_ID:
                if value != str(context.node.identity):
                    raise CommandError(f"{_PEER_ID} is {value}, and this node is {context.node.identity}")
            elif isinstance(value, dict):
                visit(value, key)
            else:
                changes[_our_key(key)] = value

    visit(document, "")
    return changes
