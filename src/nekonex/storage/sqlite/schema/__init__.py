"""The tables, a module for each step of `nekonex.storage.sqlite.migrations`."""
