"""multistream-select 1.0: two ends of a stream agree on the protocol that it speaks."""
