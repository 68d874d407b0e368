"""Where a task's folder and main module are on this machine's disks."""

from __future__ import annotations

import os

from supervisor.errors import Problem
from supervisor.spec.problems import refusal
from supervisor.spec.refused import Refused
from supervisor.spec.texts import outside


def folder_of(pwd: object, file: str) -> object:
    """`pwd` as the settings in `file` mean it: absent is the file's folder, relative is seen from there."""
    folder = os.path.dirname(os.path.abspath(file))
    if pwd is None:
        return folder
    return os.path.join(folder, pwd) if isinstance(pwd, str) and pwd else pwd


def place_problems(pwd: str, main_path: str) -> list[Problem]:
    """What is wrong with where the task's files are. A main module that is missing is not: it is told at boot."""
    try:
        if not os.path.isdir(pwd):
            what = "is not a folder" if os.path.lexists(pwd) else "does not exist"
            remedy = "create it, or correct pwd; without pwd the folder of the task file is taken"
            raise Refused(f"the folder {pwd} {what}", allowed="an existing folder", remedy=remedy)
    except Refused as refused:
        return [refusal(refused, "pwd", pwd)]
    root = os.path.realpath(pwd)
    real = os.path.realpath(os.path.join(pwd, main_path))
    if os.path.commonpath([root, real]) != root:
        return [refusal(outside(main_path, pwd, real), "mainPath", main_path)]
    return []
