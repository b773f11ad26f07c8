"""The MCP server: assistants make music through a running API. server.py has its tools."""
