"""A server that is killed while players store what is dear to them."""
