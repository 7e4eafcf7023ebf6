"""The sockets of our own protocols: batched UDP, interfaces, and the driver that moves bytes and time for machines."""
