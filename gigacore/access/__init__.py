"""Users, teams, roles, grants and shares; what follows from them for each record, field and verb."""
