"""What every IPAM over HTTP stands on."""
