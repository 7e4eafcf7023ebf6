"""`https`: where other machines reach the web app, and how a telephone comes to trust this one."""

from __future__ import annotations

from typing import Any

from zwerm.daemon.app.request import Request, route


@route("GET", "https")
async def https_state(request: Request) -> dict[str, Any]:
    """Tell what others open; only whoever has a session, and so the key, hears the address with the key."""
    listeners = request.api.listeners
    return {**listeners.https.describe(), "owner": listeners.owner_url}
