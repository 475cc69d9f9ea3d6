# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What can go wrong on the way to the API server: a person's to mend, or evidence."""

from __future__ import annotations


class KubeError(Exception):
    """Something that a person must mend on the controller or in RBAC; the text says what, in one or two sentences."""


class Silent(Exception):
    """The API server did not answer, or not sensibly. That is evidence; the text is one line.

    ``status`` is None when there was no HTTP answer at all.
    """

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status


class NotThere(Exception):
    """The API server answered that it has no such object (404)."""


class Conflict(Exception):
    """The API server answered that somebody else was faster (409): there is such an object, or a newer one."""
