"""Feeds of web venues and captures, without a socket: messages in, records out. Rules and states: docs/web-feeds.md."""
