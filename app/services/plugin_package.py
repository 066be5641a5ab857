"""The OpenCode plugin as the npm package that this server hands out, with its own address in it.

The format is that of `npm pack`: a gzipped tar archive in which everything is below `package/`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

PLUGIN = Path(__file__).parents[2] / "plugin"
FILES = ("README.md", "LICENSE", "dist/index.js", "dist/tui.js", "dist/cli.js")
# Read by the plugin when nothing else names a server (`plugin/src/lib/package.ts`).
SERVER_FILE = "dist/server.json"
# What only development needs.
OMITTED = ("scripts", "devDependencies", "allowScripts")
# npm gives every file this time, 1985-10-26T08:15:00Z, so that packing again gives the same bytes.
PACKED_AT = 499162500


@dataclass(frozen=True)
class PluginPackage:
    """The files of a plugin; `release` names its version and contents: `0.2.0-1a2b3c4d5e6f`.

    `integrity` is a Subresource Integrity hash as npm's lock files have it.
    """

    name: str
    version: str
    release: str
    files: Mapping[str, bytes]

    @cached_property
    def body(self) -> bytes:
        """The files packed, which only those who install the plugin need."""
        return _packed(self.files)

    @property
    def integrity(self) -> str:
        return f"sha512-{base64.b64encode(hashlib.sha512(self.body).digest()).decode()}"


@cache
def plugin_package(base_url: str, folder: Path = PLUGIN) -> PluginPackage:
    """The package for a server at `base_url`; the same bytes for the same files and address."""
    manifest = json.loads((folder / "package.json").read_bytes())
    published = {key: value for key, value in manifest.items() if key not in OMITTED}
    files = {name: (folder / name).read_bytes() for name in FILES}
    files["package.json"] = json.dumps(published, indent=2).encode()
    contents = hashlib.sha256(b"\0".join([base_url.encode(), *files.values()])).hexdigest()
    release = f"{manifest['version']}-{contents[:12]}"
    files[SERVER_FILE] = json.dumps({"url": base_url, "release": release}).encode()
    return PluginPackage(manifest["name"], manifest["version"], release, files)


def _packed(files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{name}")
            member.size, member.mtime = len(body), PACKED_AT
            member.mode = 0o755 if name == "dist/cli.js" else 0o644
            tar.addfile(member, io.BytesIO(body))
    return gzip.compress(archive.getvalue(), mtime=0)
