"""Getting blocks from others: bitswap and HTTP gateways behind one `BlockSource`, and who is asked."""
