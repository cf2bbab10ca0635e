"""Review: sheets that show what a run learned, one test a file (see run.py)."""
