"""A stateless service that makes voice recordings fit to be heard."""
