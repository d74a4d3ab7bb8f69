"""What outlives the process: jobs, people, sponsors and settings, on SQLite or PostgreSQL.

`database.Database` is the way in; each noun has its file and its class. Errors of the database rise as
SQLAlchemy raises them, except at `Database.open`, where they are the operator's to mend.
"""
