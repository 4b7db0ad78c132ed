"""How fast ktui is: timings of the real program, as ratios to references of the same run. See docs/performance.md."""
