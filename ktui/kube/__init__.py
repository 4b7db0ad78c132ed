"""Talking to a cluster: kubeconfig, client, list and watch, reflector, store, feed, session."""
