# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A saved report (or a recording of evidence) -> the look that it was made from. Pure: parsed JSON in."""

from __future__ import annotations

import typing as t

from . import cluster, node
from .cluster import ClusterEvidence
from .conclude import Look
from .evidence import JSON, from_json, parse_time
from .incident import SCHEMA
from .node import NodeEvidence

# What a decoder says about data of another shape.
_SHAPE: t.Final = (TypeError, ValueError, KeyError, AttributeError)
_SCHEMAS: t.Final = (("node", node.SCHEMA), ("cluster", cluster.SCHEMA))


class NoReport(ValueError):
    """It is no report that this release can read; the text says why, in one line."""


def refuse(data: JSON) -> None:
    """Raise :class:`NoReport` unless *data* is a report of this schema, whole enough to be asked."""
    if not isinstance(data, dict):
        raise NoReport("no report: it is no JSON object")
    if "schema" not in data:
        raise NoReport("no report: it names no schema")
    if data["schema"] != SCHEMA:
        raise NoReport(f"it has the schema {str(data['schema'])[:80]}, and this release reads {SCHEMA}")
    named = all(isinstance(data.get(key), str) for key in ("host", "node", "started"))
    if not named or not isinstance(data.get("diagnosis"), dict):
        raise NoReport("a damaged report: host, node, started or diagnosis is missing")


def look_of(data: JSON) -> Look:
    """The evidence of a report, or of a recording: ``{"node": ..., "cluster": ...}``. Raises :class:`NoReport`."""
    evidence = data
    if not (isinstance(data, dict) and "schema" not in data and isinstance(data.get("node"), dict)):
        refuse(data)
        evidence = data.get("evidence")
    if not isinstance(evidence, dict) or not isinstance(evidence.get("node"), dict):
        raise NoReport(f"it holds no evidence: {str(data.get('error') or 'the run ended before a diagnosis')[:300]}")
    for name, schema in _SCHEMAS:
        found = (evidence.get(name) or {"schema": schema}).get("schema")
        if found != schema:
            raise NoReport(f"its evidence of the {name} has the schema {str(found)[:80]}, not {schema}")
    try:
        return _look(data, evidence)
    except _SHAPE as error:
        raise NoReport(f"its evidence is damaged: {' '.join(str(error).split())[:200]}") from error


def _look(data: JSON, evidence: JSON) -> Look:
    seen = from_json(NodeEvidence, evidence["node"])
    api = from_json(ClusterEvidence, evidence.get("cluster") or {})
    known = vars(api)["name"]
    name = known if isinstance(known, str) else vars(vars(seen)["identity"]).get("hostname", "unknown")
    started = data.get("started")
    return Look(
        host=str(data.get("host") or name),
        mode="diagnose",
        started=parse_time(started) if started else seen.observed,
        node=seen,
        cluster=api,
        name=str(name),
    )


def differences(then: JSON, now: JSON) -> list[str]:
    """What a report said of status and root causes, where today's rules say something else."""
    found = []
    for key in ("status", "root_causes"):
        before, after = then.get(key), now.get(key)
        if before != after:
            found.append(f"{key}: the report says {before}, today's rules say {after}")
    return found
