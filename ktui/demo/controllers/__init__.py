"""The controllers of the embedded cluster: one file each, `plane` runs them all."""
