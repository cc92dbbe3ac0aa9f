"""``python -m tinygen`` is the command line."""

from tinygen.cli import main

main()
