"""The engine: everything that needs torch, run as `python -P -m engine JOB_DIR`, never imported by the terminal."""
