# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the bootstrap script that ansible-test would download into its own environments.

ansible-test looks for it in its cache first. It is called as `get-pip.py [pip options] pip==VERSION ...`; the pip that
every Python carries (ensurepip) then installs the one that ansible-test wants, from the package index.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main() -> int:
    """Make pip available to the running interpreter; returns pip's exit status."""
    environment = {key: value for key, value in os.environ.items() if key != "GET_PIP"}
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], env=environment, check=True)
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    install = [sys.executable, "-m", "pip", "install", "--quiet", *arguments]
    return subprocess.run(install, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
