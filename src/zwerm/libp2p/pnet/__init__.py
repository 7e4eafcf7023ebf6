"""Private networks (libp2p specs, "pnet/Private-Networks-PSK-V1.md"): whoever has not the key understands nothing."""
