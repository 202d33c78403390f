"""What every room uses, written once."""
