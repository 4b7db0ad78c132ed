"""What is written to the terminal: as few bytes as the frames differ by, and no more than the terminal takes."""
