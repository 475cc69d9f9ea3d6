# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a parser raises."""

from __future__ import annotations


class ParseError(ValueError):
    """Text or bytes that cannot be read; says where and why in one line, and quotes nothing that may be secret."""


class NotThatFormat(ParseError):
    """It is certain that nobody could read this; a plain :class:`ParseError` may only be beyond this reader."""
