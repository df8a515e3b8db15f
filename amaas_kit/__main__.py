"""`python -m amaas_kit` is the `amaas` command."""

from amaas_kit.cli import main

if __name__ == "__main__":
    main(prog_name="amaas")
