"""The HTTP faces: one module for each, and small ones beside them for what a face parses or renders."""
