"""The Flask host: pages, API, sign-in, command line."""
