"""Mails of the calls service: links that confirm, sign in, and fetch somebody who is rung."""
