"""Pool Manager: control plane for pools of small stateless services."""
