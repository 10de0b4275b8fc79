"""Payment: what customers pay, and the provider that moves the money."""
