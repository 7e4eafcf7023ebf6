"""One connection to one peer: ICE, DTLS, SCTP and data channels composed, and what descriptions say of them."""
