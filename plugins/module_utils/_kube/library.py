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
    import kubernetes
    import kubernetes.client
    import kubernetes.config
    import urllib3
except ImportError as error:
    _problem: str | None = str(error)
else:
    _problem = None

# Also stated by doc_fragments/_kube_auth.py and meta/ee-requirements.txt; the oldest that the tests have passed with.
MINIMUM: t.Final = "24.2.0"


def require() -> None:
    """Raise :class:`KubeError` unless a client of at least :data:`MINIMUM` can be imported by this Python."""
    install = f"install it for {sys.executable}: python -m pip install 'kubernetes>={MINIMUM}'"
    if _problem is not None:
        raise KubeError(f"the Python package kubernetes is missing on the controller ({_problem}); {install}")
    if _order(kubernetes.__version__) < _order(MINIMUM):
        raise KubeError(f"the Python package kubernetes is {kubernetes.__version__}, too old; {install}")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", version)[:3])
