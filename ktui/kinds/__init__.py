"""What kinds of objects look like: views, columns, status, relations, overview. Pure functions."""
