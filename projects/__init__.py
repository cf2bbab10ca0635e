"""The words that the terminal and the engine share: a project, its jobs, and what they write. No torch, no textual."""
