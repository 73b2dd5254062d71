"""Verbs of the package that take parts of several rooms: what a command does, in one call from a notebook."""
