"""What people would pick instead, doing the same seven steps: see README.md of the folder above."""
