"""Vocabulary of the product: errors, clock, identifiers, declared parameters. No Django."""
