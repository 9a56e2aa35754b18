"""Single checks, without the address book."""
