"""What of the calls service has to last: accounts, devices, calls, rooms, and messages still to be sent.

`tables` says what there is, `database` runs functions of a connection in one thread, and the other files are those
functions, by what they are about. SQLite by default; PostgreSQL by its URL.
"""
