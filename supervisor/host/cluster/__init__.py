"""A host as one of a cluster: what joins the cluster's parts to those of the host."""
