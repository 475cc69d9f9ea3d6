# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write examples/pi-cluster/rbac from the rights that the code asks for: ``python -m tests.tools.rbac``."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import ROLES, Role, manifest

PLACE: t.Final = Path(__file__).resolve().parents[2] / "examples" / "pi-cluster" / "rbac"
HEAD: t.Final = """---
# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# {purpose}
# Written by `make docs` from plugins/module_utils/_kube/rights.py.
# A kubeconfig for it: the playbook outward.kubelet.cluster_access, which installs this as well.
"""
PURPOSE: t.Final[dict[Role, str]] = {
    "diagnose": "All that node_diagnose, and node_recover --check, ask of the API: they read.",
    "recover": "All that node_recover asks of the API. An outward_max_unavailable above 4 needs more names of Leases.",
    "certificates": "All that certificates_recover and certificates_approve ask of the API; bootstrap tokens of ours may ask too.",
}


class Indented(yaml.SafeDumper):
    """Lists are indented, as yamllint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Never without an indent."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: t.Any) -> bool:
        """Everything in full."""
        return True


def text(role: Role) -> str:
    """The manifest of one role."""
    every = {"apiVersion": "v1", "kind": "List", "items": manifest(role)}  # ansible-test takes one document a file
    return HEAD.format(purpose=PURPOSE[role]) + yaml.dump(every, Dumper=Indented, sort_keys=False, width=120)


if __name__ == "__main__":
    for name in ROLES:
        (PLACE / f"{name}.yml").write_text(text(name))
