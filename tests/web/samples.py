"""Files as people have them, made here: pictures, sound, a PDF, text. The film is a vector (tests/vectors)."""

from __future__ import annotations

import io
import math
import random
import struct
import wave
import zlib
from pathlib import Path

VIDEO = (Path(__file__).parents[1] / "vectors" / "starlings.webm").read_bytes()

README = """# Garden

A small site about our **garden**. Read [the page](index.html) or [the news](https://example.org/news).

| Bed | Plant |
|---|---|
| 1 | Tomatoes |
| 2 | Beans |

1. Water in the morning.
2. Pick what is ripe.
   - tomatoes

- [x] compost turned

> A garden is never finished.

```python
bed.water(litres=4)
```

<script>document.title = "broken into"</script>
<img src=x onerror="document.title = 'broken into'">
[click](javascript:document.title='broken)
"""

PAGE = """<!doctype html><title>Garden</title><style>body { font: 18px sans-serif; margin: 3rem }</style>
<h1>The garden</h1><p id="said">Nothing ran.</p>
<script>document.getElementById("said").textContent = "A script ran."; top.postMessage("ran", "*")</script>
"""


def dusk(seed: int, width: int = 160, height: int = 120) -> bytes:
    """A PNG of starlings over a hill, another one for each seed."""
    chance = random.Random(seed)
    birds = [(chance.random(), chance.random() * 0.6, 0.006 + chance.random() * 0.012) for _ in range(40)]

    def pixel(x: float, y: float) -> tuple[int, int, int]:
        if y > 0.78 + 0.06 * math.sin(x * 5 + seed):
            return 22, 26, 40
        if any((x - a) ** 2 * 1.7 + (y - b) ** 2 < size * size for a, b, size in birds):
            return 28, 30, 48
        return int(60 + 220 * y), int(80 + 120 * y), int(160 - 90 * y)

    rows = (b"\0" + b"".join(bytes(pixel(x / width, y / height)) for x in range(width)) for y in range(height))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tone(seconds: float = 1.0) -> bytes:
    """A WAV of one tone."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (int(9000 * math.sin(at / 8000 * 2760)) for at in range(int(8000 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def pdf() -> bytes:
    """A PDF of one page with a line of text."""
    drawing = b"BT /F1 22 Tf 50 520 Td (Minutes, 12 November) Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 420 595]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawing), drawing),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, text)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + table + tail
