"""How frames are retrieved: stages, options and statuses that a user may write down."""
