"""Every figure of the README comes from here; `npm run bench` runs it."""
