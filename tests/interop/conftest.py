"""What the interop tests share: daemons of their own."""

from tests.daemon.conftest import start

__all__ = ["start"]
