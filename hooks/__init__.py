"""Runs on guest hosts with the standard library alone and talks to the proxy over HTTP only."""
