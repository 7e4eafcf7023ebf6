"""The objects of WebRTC 1.0 by their own names, for programs on asyncio."""
