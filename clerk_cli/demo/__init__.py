"""`clerk demo`: a shop with lively traffic and some trouble of every kind, for looking at the dashboard."""
