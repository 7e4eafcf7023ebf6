"""`zwerm config`."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import Any

from zwerm.cli import remote
from zwerm.cli.client import Answer
from zwerm.cli.command import Argument, CliCommand, Example, Parsed
from zwerm.cli.output import complain, safe
from zwerm.cli.session import Session
from zwerm.daemon.rpc.errors import CommandError, UsageError


def _config(session: Session, parsed: Parsed) -> None:
    if not parsed.arguments:
        _list(session, parsed)
        return
    if len(parsed.arguments) > 2:
        raise UsageError(f"{parsed.arguments[2]!r} is one argument too many; put quotes around a value with spaces")
    reading = len(parsed.arguments) == 1
    answer = remote.call(session, parsed)
    try:
        for item in answer.items():
            if session.settings.json or (reading and parsed.flag("json")):  # with a value, --json is about that
                session.output.json(item)
            elif len(parsed.arguments) == 1:
                session.output.line(_shown(item["Value"]))
    finally:
        answer.close()
    if len(parsed.arguments) == 2:
        _say_when(session, parsed.arguments[0])


def _value(session: Session, parsed: Parsed, answer: Answer) -> None:
    """Print what a setting is; of one that was just set, nothing."""
    for item in answer.items():
        if len(parsed.arguments) == 1:
            session.output.line(_shown(item["Value"]))


def _list(session: Session, _parsed: Parsed) -> None:
    """Print every setting, what it means above it, as the file would have it."""
    document = session.document("config/settings")
    if session.settings.json:
        session.output.json(document)
        return
    for row in document["Settings"]:
        mark = "" if row["Set"] else "#"
        session.output.text(f"# {row['Description']}\n{mark}{row['Key']} = {_shown(row['Value'])}\n\n")


def _show(session: Session, parsed: Parsed) -> None:
    """Print the configuration: ours, or Kubo's document under the name `ipfs`."""
    if session.settings.program == "ipfs":
        text = json.dumps(session.document("config/show"), indent=2, ensure_ascii=False)
        session.output.line(text)
    else:
        _list(session, parsed)


def _say_when(session: Session, key: str) -> None:
    """Say that a change waits for the next start, when a daemon runs that was started without it."""
    if session.client.is_local or session.settings.json:
        return
    rows = session.document("config/settings")["Settings"]
    if any(row["Key"] == key and row["Restart"] for row in rows):
        complain(f"{key} takes effect when the node is started again")


def _shown(value: Any) -> str:
    return safe(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _apply(session: Session, parsed: Parsed) -> None:
    remote.run(session, parsed)
    if not parsed.flag("dry-run"):
        _say_when(session, "profile")


def _applied(session: Session, _parsed: Parsed, answer: Answer) -> None:
    for item in answer.items():
        before, after = (_flat(item[name]) for name in ("OldCfg", "NewCfg"))
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                session.output.line(f"{key}: {_shown(before.get(key))} -> {_shown(after.get(key))}")


def _flat(document: dict[str, Any], path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in document.items():
        key = f"{path}.{name}" if path else name
        flat |= _flat(value, key) if isinstance(value, dict) else {key: value}
    return flat


def _edit(session: Session, _parsed: Parsed) -> None:
    """Open config.toml in an editor; what comes back is checked before it is taken."""
    import tempfile
    from pathlib import Path

    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        raise CommandError("no editor is set; set EDITOR, or use `zwerm config KEY VALUE`")
    session.document("config/settings")  # makes the file where there is none
    path = session.settings.repository / "config.toml"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "config.toml")
        copy.write_bytes(path.read_bytes())
        if subprocess.run([*shlex.split(editor), str(copy)], check=False).returncode:  # noqa: S603 -- the user's editor
            raise CommandError(f"{editor} failed; nothing was changed")
        from zwerm.daemon.rpc.body import DiskBody

        answer = session.call("config/replace", (), {}, DiskBody([copy]))
        try:
            list(answer.items())
        finally:
            answer.close()


COMMANDS = (
    CliCommand(
        "config",
        rpc="config",
        run=_config,
        text=_value,
        summary="Show and change settings",
        details="Without a key every setting is listed with what it means; a # marks those that have their default.",
        arguments=(
            Argument("key", "The setting's name, such as storage.max; Kubo's names work too.", required=False),
            Argument("value", "Its new value.", required=False),
        ),
        examples=(
            Example("config", "List all settings."),
            Example("config storage.max 50GB", "Keep at most 50 GB."),
            Example("config gateway.subdomains localhost,example.net", "Set a list."),
        ),
    ),
    CliCommand(
        "config show",
        summary="List all settings",
        arguments=(),
        run=_show,
        examples=(Example("config show --json", "List all settings as JSON."),),
    ),
    CliCommand(
        "config unset",
        rpc="config/unset",
        examples=(Example("config unset storage.max", "Return a setting to its default."),),
    ),
    CliCommand(
        "config replace",
        rpc="config/replace",
        examples=(Example("config replace new.toml", "Take all settings from a file, if all of them are right."),),
    ),
    CliCommand(
        "config edit",
        summary="Open the settings in an editor",
        arguments=(),
        run=_edit,
        examples=(Example("config edit", "Edit config.toml; mistakes are refused."),),
    ),
    CliCommand(
        "config profile apply",
        rpc="config/profile/apply",
        run=_apply,
        text=_applied,
        examples=(Example("config profile apply server", "Use the defaults for a machine in a data centre."),),
    ),
)
