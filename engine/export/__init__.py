"""Export: the files to use elsewhere, each loaded by diffusers' own loader before it counts (see run.py)."""
