"""Where images come from: one file a kind of ``src``, one interface (`sources.base`)."""
