# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that are checked are those that are documented, with the same types and variables."""

from __future__ import annotations

import dataclasses

import yaml

from ansible_collections.outward.kubelet.plugins.doc_fragments._kube_auth import ModuleDocFragment
from ansible_collections.outward.kubelet.plugins.module_utils._kube.library import MINIMUM
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access

DOCUMENTED = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)


def test_options_and_their_documentation() -> None:
    options = DOCUMENTED["options"]
    assert {name: option["type"] for name, option in options.items()} == {n: s["type"] for n, s in AUTH_SPEC.items()}
    for name, spec in AUTH_SPEC.items():
        (variable,) = spec["fallback"][1]
        assert f"E({variable})" in " ".join(options[name]["description"])
    assert [field.name for field in dataclasses.fields(Access)] == list(AUTH_SPEC)


def test_the_client_that_is_needed() -> None:
    assert f"kubernetes >= {MINIMUM}" in DOCUMENTED["requirements"][0]
