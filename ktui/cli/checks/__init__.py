"""What `ktui doctor` looks at: one module a subject, each giving findings."""
