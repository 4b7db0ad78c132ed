"""The command line: one module a command, each with `run(arguments)` that returns the exit code."""
