"""The side-by-side benchmark: every proxy it finds, on the same cluster, in the same interleaved rounds."""
