"""The tailer of a web process and the socket it feeds."""
