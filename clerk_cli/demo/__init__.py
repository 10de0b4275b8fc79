"""`clerk demo`: a shop with lively traffic and orders stuck in every way, for looking at the dashboard."""
