"""Records in and out of files: reading, mapping, import and export."""
