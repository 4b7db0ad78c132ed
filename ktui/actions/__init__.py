"""What can be done to an object: one file an action. Imports kinds and kube; knows no widgets."""
