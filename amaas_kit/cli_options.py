"""What the commands of `amaas` share: options, and the exit status after Ctrl-C."""

from __future__ import annotations

import click

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""

json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
