"""The audit: what ruins a training, found in the pictures before it does. No torch, and no picture is ever written."""
