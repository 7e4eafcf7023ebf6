"""The chunks of SCTP, one file a kind or family: records and their bytes, nothing else."""
