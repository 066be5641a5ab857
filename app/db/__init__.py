"""The database: tables, connections and locks."""
