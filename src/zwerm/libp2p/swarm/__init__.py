"""The node among nodes: connections, streams, dials and what is known of peers, behind `zwerm.libp2p.host.Host`."""

from zwerm.core.lazy import attributes

__getattr__ = attributes(__name__, {"Limits": "limits", "Swarm": "swarm"})
