"""The demo fleet: its plan, the process that runs a host, and the load."""
