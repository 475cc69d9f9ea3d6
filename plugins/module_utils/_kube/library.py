# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The one place that imports the Kubernetes client, so that there is one message when it is missing."""

from __future__ import annotations

import re
import sys
import typing as t

from .errors import KubeError

try:
    import yaml
    from kubernetes import __version__ as version
    from kubernetes import client, config
    from urllib3 import Timeout
    from urllib3 import exceptions as transport
except ImportError as error:
    MISSING = str(error)
else:
    MISSING = ""

__all__ = ["MINIMUM", "MISSING", "Timeout", "client", "config", "require", "transport", "version", "yaml"]

# Also stated by doc_fragments/_kube_auth.py and meta/ee-requirements.txt. Older releases remember the temporary file of a
# key for ever, and fail when it is gone: a second connection would not work.
MINIMUM: t.Final = "35.0.0"


def require() -> None:
    """Raise :class:`KubeError` unless a client of at least :data:`MINIMUM` can be imported by this Python."""
    install = f"install it for {sys.executable}: python -m pip install 'kubernetes>={MINIMUM}'"
    if MISSING:
        raise KubeError(f"the Python package kubernetes is missing on the controller ({MISSING}); {install}")
    if _order(version) < _order(MINIMUM):
        raise KubeError(f"the Python package kubernetes is {version}, too old; {install}")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
