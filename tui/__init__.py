"""YAPMO: a keyboard-driven media catalogue for the terminal."""

__version__ = "0.1.0"
