"""What changes or writes files on disk."""
