"""The built-in plugin: contacts, companies, leads, opportunities, tasks and notes."""
