"""Messages to browsers that are closed: encrypted for the browser (RFC 8291), sent in the service's name (RFC 8292)."""
