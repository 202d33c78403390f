"""Implements nothing: an entry point that names the wrong module."""
