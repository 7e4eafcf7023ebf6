"""The app API: what the web pages ask and do, as JSON (`docs/app-api.md`). One file for each part of that document."""
