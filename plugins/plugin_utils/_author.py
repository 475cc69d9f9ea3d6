# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Who acts, as ledgers and the cluster are told: the user, the controller and the job; no secret."""

from __future__ import annotations

import getpass
import os
import re
import socket
import typing as t
from collections.abc import Mapping

LONGEST: t.Final = 120
# Variables that AWX and Automation Controller hand to a job (awx/main/models/jobs.py), the newer name first.
JOBS: t.Final = ("awx_job_id", "tower_job_id")
USERS: t.Final = ("awx_user_name", "tower_user_name")


def author(variables: Mapping[str, t.Any], environ: Mapping[str, str] | None = None) -> str:
    """``anna@controller``, with the job of AWX when there is one: ``anna@controller, AWX job 42``."""
    environ = os.environ if environ is None else environ
    user = _first(variables, USERS) or environ.get("SUDO_USER") or _login()
    job = _first(variables, JOBS) or environ.get("AWX_JOB_ID")
    where = f"{user}@{socket.gethostname()}"
    return _plain(f"{where}, AWX job {job}" if job else where)


def _first(variables: Mapping[str, t.Any], names: tuple[str, ...]) -> str:
    return next((str(variables[name]) for name in names if variables.get(name)), "")


def _login() -> str:
    """A container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _plain(text: str) -> str:
    """One bounded line, whatever a job's variables hold."""
    return " ".join(re.sub(r"[^\x20-\x7e]", "?", text).split())[:LONGEST]
