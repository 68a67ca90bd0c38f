"""Settings: YAML, environment and flags, mapped on to each part's own options; keys and folders."""
