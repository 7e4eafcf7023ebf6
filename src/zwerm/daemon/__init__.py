"""The process that `zwerm up` runs: lock, signals, HTTP (gateway, Kubo RPC, web app), metrics, logs."""
