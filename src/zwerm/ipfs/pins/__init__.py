"""What is kept: pins, and the collector that removes everything else."""
