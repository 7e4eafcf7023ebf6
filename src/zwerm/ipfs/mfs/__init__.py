"""The mutable file system (Kubo's `files`): one tree that changes, made of content that does not."""
