"""How hosts are started and switched off: magic packets, management controllers, programs."""
