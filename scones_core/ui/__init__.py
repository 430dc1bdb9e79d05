"""The user interface: a package per page, and `shell` for what pages share."""
