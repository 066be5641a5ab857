"""Runs the migrations on the database of the current app, on behalf of `flask db`."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db

if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        # SQLite cannot alter constraints: batch mode makes a new table and copies.
        context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
