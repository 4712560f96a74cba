"""Mails are parsed in processes of their own, so that nothing in a mail can harm the service.

`pool` starts and replaces the processes, `child` is what runs in them. They share no import but
the domain: what the child loads counts against its memory.
"""
