"""The CRM library: entities, access, automation, plugins; no web framework."""
