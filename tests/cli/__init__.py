"""The `pharos` command."""
