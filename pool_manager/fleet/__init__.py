"""What exists: zones, hosts, pools, instances, overrides and dependencies."""
