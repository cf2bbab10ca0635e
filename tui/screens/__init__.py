"""The screens of the workbench: a home and one a room, each beside its style sheet."""
