"""What every IPAM that is asked over HTTP stands on: one session per process, bounded calls, sealed secrets."""
