"""`python -m facesearch` is the `facesearch` command."""

from facesearch.cli import main

main(prog_name="facesearch")
