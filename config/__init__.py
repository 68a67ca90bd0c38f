"""What it is set to: YAML, environment and flags mapped on to each part's own options."""
