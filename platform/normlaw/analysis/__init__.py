"""Curves in, laws out: pure functions of data frames, and the jobs around them."""
