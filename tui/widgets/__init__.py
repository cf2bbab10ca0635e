"""What the screens are made of. Widgets draw and post messages; they read no files and hold no rules."""
