"""Programs to watch: example services, and a demo fleet made of them."""
