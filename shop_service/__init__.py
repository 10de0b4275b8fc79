"""Shop: the catalogue, customers' carts, and the orders they become."""
