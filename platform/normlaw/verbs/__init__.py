"""What normlaw does, a verb a file: the Python API, which the command line calls."""
