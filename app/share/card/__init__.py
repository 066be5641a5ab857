"""The preview image of a share."""
