"""What is passed to the functions of this room, looked at before anything is done with it."""

from __future__ import annotations

import os

from amaas_kit.errors import DataError
from amaas_kit.partition.plan import Plan

FOLDER_WANTED = 'pass the path of a folder, such as "parts"'


def check_path(path: object, situation: str, fix: str) -> None:
    """Refuse what names no file and no folder.

    Args:
        path: what was passed for a path or an address.
        situation: what was being done.
        fix: what to pass.

    Raises:
        DataError: it is neither text nor a Path, is empty, or has a NUL or what is not UTF-8.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str):
        raise DataError(situation, _kind(path), "a path is text, or a pathlib.Path", fix)
    if not name:
        raise DataError(situation, "an empty text", "it names no file and no folder", fix)
    if "\0" in name:
        raise DataError(situation, repr(name), "no system has a name with a NUL in it", fix)
    try:
        name.encode()
    except UnicodeEncodeError:
        wrong = "the name is not UTF-8, and the engines take no other"
        raise DataError(situation, repr(name), wrong, f"rename it, or {fix}") from None


def check_plan(plan: object) -> None:
    """Refuse what is no plan.

    Raises:
        DataError: with what it is.
    """
    if not isinstance(plan, Plan):
        raise DataError(
            situation="While cutting a table",
            seen=repr(plan) if isinstance(plan, str) else _kind(plan),
            wrong="what says how to cut is a Plan",
            fix='pass a plan first, such as Plan.hash("user_id", parts=8)',
        )


def _kind(value: object) -> str:
    return "None" if value is None else f"something of the type {type(value).__name__}"
