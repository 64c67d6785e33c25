"""What ExifTool and mutagen say about a file, made one record: dates, positions, streams, words."""
