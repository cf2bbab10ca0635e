"""The verbs of `safelight`, one module each; `tui.cli` imports a module only when its verb is called."""
