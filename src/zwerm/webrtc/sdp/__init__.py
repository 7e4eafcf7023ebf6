"""SDP (RFC 8866) with the attributes of JSEP (RFC 9429): read without loss, written byte for byte."""
