"""Files over a data channel: offered, accepted, sent with back pressure, resumed, and verified (docs/connect.md)."""
