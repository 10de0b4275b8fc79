"""ShopManager: the process manager. It decides what comes next, and undoes what must be undone."""
