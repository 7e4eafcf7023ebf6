"""DNSLink: domains that point at content by a TXT record (dnslink.dev)."""
