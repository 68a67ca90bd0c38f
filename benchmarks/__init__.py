"""Takes the figures of README and docs/figures.md; nothing else imports it."""
