"""CBSD: the DHCP helper, the hook of all hook directories, and what their variables mean."""
