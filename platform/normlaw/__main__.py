"""`python -m normlaw` is the command line."""

from normlaw.cli import main

main(prog_name="normlaw")
