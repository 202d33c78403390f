"""What other programs have logged, taken under normlaw's names."""
