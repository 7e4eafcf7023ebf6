"""WebRTC: straight to the other side. STUN, TURN, ICE, DTLS, SCTP, data channels and SDP, each as a machine."""
