# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Kubernetes cluster on one machine, made of packages.

`python3 -m tests.lab --help` has the commands. In Python, `open_lab(default_paths(os.environ,
Path.home()))` is the lab that runs: its control plane, its kubectl and its guests.
"""

from __future__ import annotations

from tests.lab._lab import Lab, open_lab
from tests.lab._model import Host, LabError, Paths, default_paths, parse_host

__all__ = ["Host", "Lab", "LabError", "Paths", "default_paths", "open_lab", "parse_host"]
