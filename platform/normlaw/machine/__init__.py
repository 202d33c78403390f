"""Checks of the machine before days are spent on it: one idea a file, each gives its findings."""
