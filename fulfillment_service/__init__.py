"""Fulfillment: what is in stock, what is kept for whom, and what is on its way."""
