"""Reading what an ISC dhcpd has."""
