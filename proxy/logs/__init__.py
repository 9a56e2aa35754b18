"""The log: where lines go, what they look like, and what Foreman's Logs page reads."""
