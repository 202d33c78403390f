"""A study as one file that a paper can cite: what it holds, and how one from elsewhere is read."""
