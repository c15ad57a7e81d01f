"""`python -m tillgate.server.web`: the process that speaks HTTP for `tillgate serve --http`, which starts it."""

from tillgate.server.web.serve import main

main()
