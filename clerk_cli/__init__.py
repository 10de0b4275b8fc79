"""The `clerk` command: runs services, places and shows orders, verifies, repairs and simulates a shop."""
