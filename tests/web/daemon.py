"""A real node for the pages: the daemon of the other tests, filled over the API that the pages use."""

from __future__ import annotations

from typing import Any

from tests.daemon.harness import Daemon


class WebDaemon(Daemon):
    """One daemon process, as the page sees it."""

    @property
    def url(self) -> str:
        """The address a person opens."""
        return f"http://localhost:{self.port}"

    @property
    def port(self) -> int:
        return int(self.web.rpartition(":")[2])

    @property
    def gateway_url(self) -> str:
        return f"http://{self.gateway}"

    def ask(self, method: str, name: str, body: Any = None, **query: str) -> Any:
        """Ask the app API something that must succeed."""
        answer = self.app(method, name, body, **query)
        assert answer.status < 300, f"{method} {name}: {answer.status} {answer.body.decode()}"
        return answer.json

    def keep(self, path: str, data: bytes | str) -> str:
        """Keep one file, which makes one version; its CID."""
        content = data.encode() if isinstance(data, str) else data
        change = self.ask("PUT", "files/upload", content, path=path)
        cid: str = change["entries"][0]["cid"]
        return cid

    def names(self, path: str) -> list[str]:
        """The names in a folder, folders first."""
        return [entry["name"] for entry in self.ask("GET", "files", path=path)["entries"]]
