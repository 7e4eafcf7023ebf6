"""The composition root: the repository on the disk, its configuration, and `Node`, which joins the services."""
