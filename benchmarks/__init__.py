"""Takes the figures of README and docs/measured.md; nothing else imports it."""
