"""`settings`: every configuration key with its value and its sentence, and changing several together."""

from __future__ import annotations

import asyncio
from typing import Any

from zwerm.core.errors import LocalProtocolError
from zwerm.daemon.app.failure import AppError
from zwerm.daemon.app.request import Request, route
from zwerm.node.settings import BY_KEY, SECRETS


@route("GET", "settings")
async def show(request: Request) -> dict[str, Any]:
    """List all."""
    return _document(request)


def _document(request: Request) -> dict[str, Any]:
    config = request.node.config
    return {
        "profile": config.profile,
        "restart_needed": request.api.restart_needed,
        "settings": [
            {
                "key": shown.setting.key,
                "value": ("********" if shown.value else "") if shown.setting.key in SECRETS else shown.value,
                "default": shown.default,
                "type": shown.setting.kind.name,
                "choices": list(shown.setting.kind.choices) if shown.setting.kind.choices else None,
                "doc": shown.setting.doc,
                "restart": shown.setting.restart,
                "set": shown.is_set,
            }
            for shown in config.show()
        ],
    }


@route("PUT", "settings")
async def change(request: Request) -> dict[str, Any]:
    """Change several, or none when one of them cannot be."""
    changes = await request.json()
    wrong: dict[str, str] = {}
    for key, value in changes.items():
        setting = BY_KEY.get(key)
        if setting is None:
            wrong[key[:80]] = "There is no such setting."
        elif value is not None:
            try:
                setting.kind.check(value)
            except LocalProtocolError as error:
                wrong[key] = str(error)
    if wrong:
        raise AppError("invalid-settings", f"{len(wrong)} of the settings cannot be so; nothing was changed", wrong)
    config = request.node.config
    before = {key: config.raw(key) for key in changes}
    try:
        await asyncio.to_thread(config.update, changes)
    except LocalProtocolError as error:
        key = str(error).partition(":")[0]
        raise AppError("invalid-settings", str(error), {key: str(error)} if key in BY_KEY else None) from None
    if any(BY_KEY[key].restart and config.raw(key) != value for key, value in before.items()):
        request.api.restart_needed = True
    return _document(request)
