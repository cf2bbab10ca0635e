"""What `safelight bench` measures of the terminal's half, from outside and without torch (docs/measurements.md)."""
