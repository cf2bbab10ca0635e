"""The torch-free shelf of the engine: pictures, captions, buckets, tokens and slots. The terminal may import it."""
