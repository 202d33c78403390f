"""Training of one linear map that is followed exactly: gradient flow, and the least loss at each norm."""
