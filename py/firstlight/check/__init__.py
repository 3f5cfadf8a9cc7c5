"""Is a server fit for progressive loading, and what do a file or a URL hold."""
