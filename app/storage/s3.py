"""Cloudflare R2, or any other S3 service. The only file that knows boto3."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import boto3
import urllib3
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from app.lib.os_errors import describe, os_error_behind
from app.lib.time_limit import TimeLimitExceeded, wall_time_limit
from app.storage.objects import (
    CACHE_CONTROL,
    CONTENT_TYPE,
    PREFIX,
    Body,
    ObjectInfo,
    StorageError,
    StoredObject,
    UploadLink,
    upload_headers,
)
from config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef, PutObjectRequestTypeDef

CONNECT_SECONDS = 2
READ_SECONDS = 5
# For a whole request, since a server that sends a byte now and then never runs into the timeouts above; and
# as much again for each MB of a body.
REQUEST_SECONDS = 8
SECONDS_PER_MB = 1


class S3Store:
    """Stores documents in one bucket; its clients are created on first use, so each worker has its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._bucket = config.S3_BUCKET
        self._host = urlsplit(config.S3_ENDPOINT).netloc
        self._errors = partial(_storage_errors, self._host)
        self._public_host = urlsplit(config.S3_PUBLIC_URL).netloc

    def presign_upload(
        self, key: str, *, size: int | None, encoding: str | None, lifetime: int
    ) -> UploadLink:
        # R2 has no POST policy and so no range of sizes: only the exact length can be bound.
        signed = {"ContentType": CONTENT_TYPE, "CacheControl": CACHE_CONTROL}
        if encoding:
            signed["ContentEncoding"] = encoding
        length = {} if size is None else {"ContentLength": size}
        url = self._presigner.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, **signed, **length},
            ExpiresIn=lifetime,
        )
        return UploadLink(url, {**upload_headers(size, encoding), "Cache-Control": CACHE_CONTROL})

    def put(self, key: str, data: bytes, *, encoding: str | None, if_absent: bool = False) -> None:
        request: PutObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key, "Body": data}
        request |= {"ContentType": CONTENT_TYPE, "CacheControl": CACHE_CONTROL}
        if encoding:
            request["ContentEncoding"] = encoding
        try:
            with self._errors(_seconds(len(data))):
                self._client.put_object(**request, **({"IfNoneMatch": "*"} if if_absent else {}))
        except _PreconditionFailed:
            # The first attempt of this call stored it, and its answer was lost.
            return
        except _NotImplemented:
            # Not every S3 server knows conditional PUT.
            with self._errors(_seconds(len(data))):
                self._client.put_object(**request)

    def open(self, key: str, etag: str | None = None) -> StoredObject | None:
        if self._config.S3_PUBLIC_URL:
            return self._open_public(key, etag)
        request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key}
        if etag:
            request["IfNoneMatch"] = f'"{etag}"'
        try:
            with self._errors():
                response = self._client.get_object(**request)
        except _NotFound as error:
            return StoredObject(etag, 0, None) if etag and error.status == 304 else None
        return StoredObject(
            _unquote(response["ETag"]),
            response["ContentLength"],
            _Body(response["Body"], response["ContentLength"], self._host),
            response["LastModified"],
        )

    def info(self, key: str) -> ObjectInfo | None:
        try:
            with self._errors():
                response = self._client.head_object(Bucket=self._bucket, Key=key)
        except _NotFound:
            return None
        return ObjectInfo(
            key, response["ContentLength"], response["LastModified"], _unquote(response["ETag"])
        )

    def list(self, prefix: str = PREFIX) -> Iterator[ObjectInfo]:
        paginator = self._client.get_paginator("list_objects_v2")
        pages = iter(paginator.paginate(Bucket=self._bucket, Prefix=prefix))
        while True:
            with self._errors():
                page = next(pages, None)
            if page is None:
                return
            for item in page.get("Contents", []):
                yield ObjectInfo(item["Key"], item["Size"], item["LastModified"], _unquote(item["ETag"]))

    def delete(self, key: str) -> None:
        # delete_objects would need a CRC32 that R2 does not know.
        with suppress(_NotFound), self._errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def ignores_case(self) -> bool:
        return False

    def warm_up(self) -> None:
        self._presigner.generate_presigned_url("put_object", Params={"Bucket": self._bucket, "Key": "-"})
        _ = self._client

    def check(self) -> None:
        with self._errors():
            self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    def _open_public(self, key: str, etag: str | None) -> StoredObject | None:
        # Accepting gzip keeps a proxy in between from decoding what was stored gzip-encoded.
        headers = {"Accept-Encoding": "gzip", **({"If-None-Match": f'"{etag}"'} if etag else {})}
        with _storage_errors(self._public_host):
            response = self._public.request(
                "GET",
                f"{self._config.S3_PUBLIC_URL}/{quote(key)}",
                headers=headers,
                preload_content=False,
                decode_content=False,
            )
        if response.status == 200:
            size = int(response.headers.get("Content-Length", 0))
            return StoredObject(
                _unquote(response.headers.get("ETag", "")), size, _Body(response, size, self._public_host)
            )
        # What is left of the body would be read as the answer to the next request.
        response.drain_conn()
        response.release_conn()
        if response.status == 304 and etag:
            return StoredObject(etag, 0, None)
        if response.status in (403, 404):
            return None
        raise StorageError(f"the public bucket at {self._public_host} answered {response.status}")

    @cached_property
    def _client(self) -> S3Client:
        return self._new_client(self._config.S3_ENDPOINT)

    @cached_property
    def _presigner(self) -> S3Client:
        presign_endpoint = self._config.S3_PRESIGN_ENDPOINT
        return self._new_client(presign_endpoint) if presign_endpoint else self._client

    @cached_property
    def _public(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=urllib3.Retry(1, redirect=0),
        )

    def _new_client(self, endpoint: str) -> S3Client:
        return boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id=self._config.S3_ACCESS_KEY_ID,
            aws_secret_access_key=self._config.S3_SECRET_ACCESS_KEY,
            region_name=self._config.S3_REGION,
            config=ClientConfig(
                # boto3 would presign with SigV2 for some regions, which binds neither length nor type.
                signature_version="s3v4",
                s3={"addressing_style": self._config.S3_ADDRESSING_STYLE},
                # R2, B2 and MinIO refuse the checksums that boto3 adds by default.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
        )


def _unquote(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


class _Body:
    """A body of `size` bytes whose errors are StorageErrors, and which must arrive in time."""

    def __init__(self, body: Body, size: int, host: str) -> None:
        self._body = body
        self._host = host
        self._ends_at = time.monotonic() + _seconds(size)

    def read(self, amount: int) -> bytes:
        with _storage_errors(self._host, self._ends_at - time.monotonic()):
            return self._body.read(amount)

    def close(self) -> None:
        self._body.close()


class _NotFound(Exception):
    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class _PreconditionFailed(Exception):
    """A PUT that may only create found an object."""


class _NotImplemented(Exception):
    """The server does not know a header of the request."""


def _seconds(size: int) -> float:
    """How long a request with a body of `size` bytes may take."""
    return REQUEST_SECONDS + size / 1e6 * SECONDS_PER_MB


@contextmanager
def _storage_errors(host: str, seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Turns boto3's errors and slowness into StorageError, some answers into the exceptions above."""
    try:
        with wall_time_limit(seconds):
            yield
    except TimeLimitExceeded:
        raise StorageError(f"the bucket at {host} answers too slowly") from None
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status == 304 or (status == 404 and code != "NoSuchBucket"):
            raise _NotFound(status) from None
        if status == 412:
            raise _PreconditionFailed from None
        if status == 501:
            raise _NotImplemented from None
        raise StorageError(f"the bucket at {host} answered {status} {code}") from error
    except (BotoCoreError, HTTPError) as error:
        behind = os_error_behind(error)
        words = [type(error).__name__, *([describe(behind)] if behind else [])]
        raise StorageError(f"the bucket at {host} does not answer: {', '.join(words)}") from error
