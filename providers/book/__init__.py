"""The book: one SQL database that all proxies share. SQL is written here and nowhere else; rules are not."""
