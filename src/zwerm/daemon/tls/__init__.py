"""HTTPS of the daemon: where the certificate comes from, and that it is renewed without a restart."""
