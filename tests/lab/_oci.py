# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Container images without a registry: an OCI layout in one tar file, for `ctr images import`."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Image:
    """A static image of one layer."""

    name: str
    entrypoint: Sequence[str]
    files: Mapping[str, bytes]
    links: Mapping[str, str]


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member


def layer(image: Image) -> bytes:
    """The image's only layer, the same bytes for the same contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in sorted(image.files.items()):
            archive.addfile(_member(name, len(content), 0o755), io.BytesIO(content))
        for name, target in sorted(image.links.items()):
            link = _member(name, 0, 0o777)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    return buffer.getvalue()


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {
        "mediaType": media_type,
        "digest": f"sha256:{hashlib.sha256(blob).hexdigest()}",
        "size": len(blob),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _image_blobs(image: Image) -> tuple[dict[str, object], list[bytes]]:
    """The image's entry in the index, and its blobs."""
    content = layer(image)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": list(image.entrypoint), "Env": ["PATH=/bin"]},
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"],
            },
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", content)],
        }
    )
    entry = _descriptor(MANIFEST_TYPE, manifest)
    entry["annotations"] = {"io.containerd.image.name": image.name}
    return entry, [content, config, manifest]


def archive_files(images: Sequence[Image]) -> dict[str, bytes]:
    """The files of the OCI layout that holds these images."""
    entries, files = [], {"oci-layout": _json({"imageLayoutVersion": "1.0.0"})}
    for image in images:
        entry, blobs = _image_blobs(image)
        entries.append(entry)
        files |= {f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}": blob for blob in blobs}
    files["index.json"] = _json({"schemaVersion": 2, "manifests": entries})
    return files


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """Write the OCI layout as one tar file."""
    with tarfile.open(path, "w") as archive:
        for name, content in archive_files(images).items():
            archive.addfile(_member(name, len(content), 0o644), io.BytesIO(content))
