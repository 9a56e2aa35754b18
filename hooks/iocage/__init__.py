"""iocage: an address for a new jail, and what its properties run when it starts and stops."""
