"""Who may say and hear what on the bus: permissions, keys, and the file that the server includes.

Every outside party has an account of its own in the NATS server and one user in it, known by its
NKey. The account imports the party's own subjects and nothing else, so that another's are not
forbidden there but absent; a reply, too, ends in the account of the one who asked for it.
"""
