"""The development server: viewer and data on localhost, as a good static host serves them."""
