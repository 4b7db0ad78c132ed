"""The embedded cluster: a server that speaks the Kubernetes API, its controllers and a story. Stands alone."""
