"""Who a node is: keys, the peer ID made from them, envelopes signed with them, and the folder they are kept in."""
