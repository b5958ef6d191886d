"""Finding sessions: what is looked for, where it is found quickly, and why it was not."""
