"""Linking the hooks into the tools of a node, and taking them out again."""
