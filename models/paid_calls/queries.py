"""The named queries of the journal of paid calls (journal.sql)."""

from pathlib import Path

from data.named_sql import read_queries

SQL = read_queries([Path(__file__).with_name("journal.sql")])
