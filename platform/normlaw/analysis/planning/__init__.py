"""Which further runs narrow the interval of an exponent most for what they cost, before they are trained."""
