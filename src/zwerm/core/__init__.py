"""What every protocol stands on: errors, the machine contract, timers, cursors, bounded containers."""
