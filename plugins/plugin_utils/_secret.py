# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that hold a secret: readable by their owner alone from their first byte on, and written whole or not at all."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.plugin_utils._whole import write_whole


def require_place(path: Path) -> None:
    """Raise AnsibleActionFail now, rather than after a secret was made."""
    if not path.parent.is_dir():
        raise AnsibleActionFail(f"{path} cannot be written: there is no directory {path.parent}")
    if path.is_dir():
        raise AnsibleActionFail(f"{path} cannot be written: it is a directory")
    if not os.access(path.parent, os.W_OK):
        raise AnsibleActionFail(f"{path} cannot be written: {path.parent} is not writable")


def write_secret(path: Path, document: t.Any) -> None:
    """*document* as JSON, which every reader of YAML reads; mode 0600, also in place of a file that was wider open."""
    try:
        write_whole(path, document)
    except OSError as error:
        raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}") from error
