"""The command line: parses, calls one verb, prints."""
