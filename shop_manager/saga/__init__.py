"""One order's saga: its state, what can happen to it, and `decide`, which says what follows. All of it is pure."""
