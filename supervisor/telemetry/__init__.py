"""What the host says about itself and its tasks: logs and versions here, metrics later."""
