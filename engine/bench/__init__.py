"""What the loop costs beside the model, measured on the loop that people run (docs/measurements.md says how)."""
