"""The desk over HTTP: questions, commands and who may ask them (docs/adr/0024-the-web-desk.md)."""
