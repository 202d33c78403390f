"""The verbs of the command line, one a file. Each imports only click at its top, so that --help is quick."""
