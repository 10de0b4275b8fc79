"""The clients' side of ShopManager: sessions (open, read, follow, cancel), customers and shops."""
