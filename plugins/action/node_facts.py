# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run node_facts so that it works on a full disk and on a read-only root."""

from __future__ import annotations

import typing as t

from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import OnNode


class ActionModule(OnNode):
    """The module of the same name; see its documentation."""

    MODULE: t.ClassVar[str] = "outward.kubelet.node_facts"
