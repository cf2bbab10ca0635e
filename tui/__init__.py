"""The terminal: the `safelight` command and the full-screen workbench. It starts the engine and never imports it."""
