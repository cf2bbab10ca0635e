"""Captions drafted by models: one file a way of asking a model, the job around them, and the texts that come of it."""
