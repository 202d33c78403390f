"""Forgets the mark."""


def normlaw_fitters():
    return []
