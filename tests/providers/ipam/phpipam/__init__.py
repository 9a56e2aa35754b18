"""The phpIPAM provider, on the double."""
