"""The `clerk` command: puts services together, runs them, and looks at a running shop."""
