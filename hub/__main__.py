"""`python -m hub` is `ocpi-hub`."""

from hub.cli import main

main(prog_name="ocpi-hub")
