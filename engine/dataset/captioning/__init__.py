"""Captions as people edit them: the files, the journal of what was done to them, and what there is to say about them."""
