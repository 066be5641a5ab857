"""Where documents live: one protocol, an S3 store and a folder on disk."""

from __future__ import annotations

from app.storage.disk import DiskStore, StagedObject
from app.storage.objects import (
    ObjectInfo,
    ObjectStore,
    StorageError,
    StoredObject,
    UploadLink,
    UploadRefused,
    delete_objects,
    document_key,
    encoding_of,
    is_temporary,
    object_key,
    objects_of,
    read_object,
    revision_of_checkpoint,
    share_id_of,
)
from config import Config

__all__ = [
    "DiskStore",
    "ObjectInfo",
    "ObjectStore",
    "StagedObject",
    "StorageError",
    "StoredObject",
    "UploadLink",
    "UploadRefused",
    "delete_objects",
    "document_key",
    "encoding_of",
    "is_temporary",
    "object_key",
    "objects_of",
    "open_store",
    "read_object",
    "revision_of_checkpoint",
    "share_id_of",
]


def open_store(config: Config) -> ObjectStore:
    """The bucket when S3 is configured, otherwise the folder `documents` in `DATA_DIR`."""
    if not config.S3_BUCKET:
        return DiskStore(config.data_dir / "documents", config.SECRET_KEY, f"{config.BASE_URL}/api/upload")
    # boto3 takes 0.3 s to import; a server that keeps documents on disk never needs it.
    from app.storage.s3 import S3Store

    return S3Store(config)
