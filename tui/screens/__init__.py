"""The screens of the terminal application: one screen, one file."""
