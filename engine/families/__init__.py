"""Base-model families: one file a family, values and functions (see family.py)."""
