"""Risk: credit limits, reservations and scores."""
