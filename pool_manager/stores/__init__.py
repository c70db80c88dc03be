"""How the stores are reached: the live store, leases, the embedded server, the worker class."""
