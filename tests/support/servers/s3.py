"""A real S3 server that verifies signatures: SeaweedFS."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config as ClientConfig

from tests.support.servers import free_ports, running

ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET_KEY = "testtesttesttesttesttesttesttesttesttest"
BUCKET = "shares"
# Each port of SeaweedFS has a gRPC port 10,000 above it.
HIGHEST_PORT = 22_000


@contextmanager
def s3_server() -> Iterator[tuple[dict[str, str], str]]:
    """The settings that point the app at a fresh bucket, and an address that needs no signature."""
    folder = Path(tempfile.mkdtemp(prefix="s3-"))
    master, volume, filer, port = free_ports(4, below=HIGHEST_PORT)
    identity = {
        "name": "test",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    command = [
        Path(sysconfig.get_path("scripts")) / "weed",
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-master.port={master}",
        f"-volume.port={volume}",
        "-volume.max=20",
        # By default it refuses to write as soon as 1 % of the disk is left, however large that is.
        "-volume.minFreeSpace=100MiB",
        "-volume.preStopSeconds=0",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        "-filer",
        f"-filer.port={filer}",
        f"-filer.localSocket={folder}/filer.sock",
        "-s3",
        f"-s3.port={port}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder}/s3.json",
        f"-s3.localSocket={folder}/s3.sock",
    ]
    endpoint = f"http://127.0.0.1:{port}"
    settings = {
        "S3_ENDPOINT": endpoint,
        "S3_ACCESS_KEY_ID": ACCESS_KEY,
        "S3_SECRET_ACCESS_KEY": SECRET_KEY,
        "S3_BUCKET": BUCKET,
    }
    try:
        # Its logs and sockets go into the temporary folder of its own.
        surroundings = {**os.environ, "TMPDIR": str(folder)}
        with running(command, folder / "log", lambda: _is_healthy(endpoint), env=surroundings):
            s3_client(settings).create_bucket(Bucket=BUCKET)
            yield settings, f"http://127.0.0.1:{filer}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def s3_client(settings: dict[str, str]):
    return boto3.client(
        "s3",
        endpoint_url=settings["S3_ENDPOINT"],
        aws_access_key_id=settings["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["S3_SECRET_ACCESS_KEY"],
        region_name="auto",
        config=ClientConfig(request_checksum_calculation="when_required"),
    )


def stored_keys(settings: dict[str, str]) -> list[str]:
    pages = s3_client(settings).get_paginator("list_objects_v2").paginate(Bucket=settings["S3_BUCKET"])
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def _is_healthy(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(f"{endpoint}/healthz", timeout=1).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True
