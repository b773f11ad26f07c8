"""Requests whose end two servers could see in different places, or that hide a second request."""

CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"


def post(fields: bytes, body: bytes = b"", line: bytes = b"POST /jobs HTTP/1.1") -> bytes:
    """A request with these header lines and this body."""
    return line + b"\r\nHost: x\r\nContent-Type: application/json\r\n" + fields + b"\r\n" + body


def get(fields: bytes = b"", line: bytes = b"GET /healthz HTTP/1.1") -> bytes:
    """A request without a body."""
    return line + b"\r\nHost: x\r\n" + fields + b"\r\n"


def length(value: bytes) -> bytes:
    """A body of five bytes whose length is written like this."""
    return post(b"Content-Length: " + value + b"\r\n", b"{   }")


def encoding(value: bytes, name: bytes = b"Transfer-Encoding", line: bytes = b"POST /jobs HTTP/1.1") -> bytes:
    """A chunked body, announced like this."""
    return post(name + b": " + value + b"\r\n", CHUNKS, line)


# Refused for the head alone, by status.
HEADS: dict[str, tuple[bytes, int]] = {
    "CL.TE": (post(b"Content-Length: 2\r\n" + CHUNKED, CHUNKS), 400),
    "TE.CL": (post(CHUNKED + b"Content-Length: 2\r\n", CHUNKS), 400),
    "TE.CL of 0": (post(CHUNKED + b"Content-Length: 0\r\n", CHUNKS), 400),
    "TE unknown": (encoding(b"xchunked"), 501),
    "TE with a parameter": (encoding(b"chunked;q=1"), 501),
    "TE quoted": (encoding(b'"chunked"'), 501),
    "TE with an empty member": (encoding(b"chunked,"), 501),
    "TE twice in one": (encoding(b"chunked, chunked"), 400),
    "TE twice": (post(CHUNKED + CHUNKED, CHUNKS), 400),
    "TE twice, one of them odd": (post(CHUNKED + b"Transfer-Encoding: x\r\n", CHUNKS), 501),
    "TE identity": (encoding(b"identity"), 400),
    "TE not chunked at the end": (encoding(b"chunked, gzip"), 400),
    "TE without chunked": (encoding(b"gzip"), 400),
    "TE after a vertical tab": (encoding(b"\x0bchunked"), 400),
    "TE after a form feed": (encoding(b"\x0cchunked"), 400),
    "TE with a NUL": (encoding(b"chunked\x00"), 400),
    "TE with a bare CR": (encoding(b"\rchunked"), 400),
    "TE with a bare LF": (encoding(b"x\nTransfer-Encoding: chunked"), 400),
    "TE with a space before the colon": (encoding(b"chunked", b"Transfer-Encoding "), 400),
    "TE with a tab before the colon": (encoding(b"chunked", b"Transfer-Encoding\t"), 400),
    "TE with a NUL in its name": (encoding(b"chunked", b"Transfer-Encoding\x00"), 400),
    "TE folded": (encoding(b"\r\n chunked"), 400),
    "TE as a folded line": (post(b"X-A: b\r\n Transfer-Encoding: chunked\r\n", CHUNKS), 400),
    "TE in HTTP/1.0": (encoding(b"chunked", line=b"POST /jobs HTTP/1.0"), 400),
    "TE in HTTP/1.0, kept alive": (post(b"Connection: keep-alive\r\n" + CHUNKED, CHUNKS, b"POST /jobs HTTP/1.0"), 400),
    "CL twice": (post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"{   }"), 400),
    "CL twice, different": (post(b"Content-Length: 5\r\nContent-Length: 9\r\n", b"{   }"), 400),
    "CL twice in one": (length(b"5, 5"), 400),
    "CL with a plus": (length(b"+5"), 400),
    "CL with a minus": (length(b"-5"), 400),
    "CL with a space": (length(b"5 5"), 400),
    "CL in hexadecimal": (length(b"0x5"), 400),
    "CL with an underscore": (length(b"0_5"), 400),
    "CL with an exponent": (length(b"5e0"), 400),
    "CL with a semicolon": (length(b"5;"), 400),
    "CL with a digit that isn't ASCII": (length(b"\xb2"), 400),
    "CL empty": (length(b""), 400),
    "CL of 5000 digits": (length(b"0" * 5000 + b"5"), 400),
    "CL folded": (length(b"\r\n 5"), 400),
    "bare LF everywhere": (get().replace(b"\r\n", b"\n"), 400),
    "bare LF after the request line": (get().replace(b"\r\n", b"\n", 1), 400),
    "bare LF after a header": (get(b"X-A: b\nX-B: c\r\n"), 400),
    "bare LF before the body": (b"GET /healthz HTTP/1.1\r\nHost: x\n\n", 400),
    "bare CR in a header": (get(b"X-A: b\rX-B: c\r\n"), 400),
    "bare CR in the request line": (get(line=b"GET /healthz\r HTTP/1.1"), 400),
    "NUL in a header": (get(b"X-A: b\x00c\r\n"), 400),
    "NUL in a name": (get(b"X\x00A: b\r\n"), 400),
    "NUL in the target": (get(line=b"GET /healthz\x00 HTTP/1.1"), 400),
    "folded header": (get(b"X-A: b\r\n c\r\n"), 400),
    "folded first header": (b"GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    "header with a space before the colon": (get(b"X-A : b\r\n"), 400),
    "header with a space in its name": (get(b"X A: b\r\n"), 400),
    "header without a name": (get(b": b\r\n"), 400),
    "header without a colon": (get(b"X-A\r\n"), 400),
    "two hosts": (get(b"Host: y\r\n"), 400),
    "an expectation": (get(b"Expect: 200-ok\r\n"), 417),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a version that is none": (get(line=b"GET /healthz HTTP/1.10"), 400),
    "two spaces": (get(line=b"GET  /healthz HTTP/1.1"), 400),
    "a space after the version": (get(line=b"GET /healthz HTTP/1.1 "), 400),
    "a space in the target": (get(line=b"GET /healthz x HTTP/1.1"), 400),
    "tabs": (get(line=b"GET\t/healthz\tHTTP/1.1"), 400),
    "a method in lower case": (get(line=b"get /healthz HTTP/1.1"), 400),
    "no target": (get(line=b"GET HTTP/1.1"), 400),
    "a target without a slash": (get(line=b"GET healthz HTTP/1.1"), 400),
    "a target of two lines": (get(line=b"GET /healthz\nX HTTP/1.1"), 400),
    "a long target": (get(line=b"GET /" + b"x" * 5000 + b" HTTP/1.1"), 414),
    "a long header": (get(b"X-A: " + b"b" * 9000 + b"\r\n"), 431),
    "many headers": (get(b"X-A: b\r\n" * 70), 431),
}

# Chunked bodies that are broken.
CHUNKED_BODIES: dict[str, bytes] = {
    "a size below 0": b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with a plus": b"+2\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "a size after a space": b" 2\r\n{}\r\n0\r\n\r\n",
    "a size before a space": b"2 \r\n{}\r\n0\r\n\r\n",
    "a size that is no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "no size": b"\r\n{}\r\n0\r\n\r\n",
    "a size with a NUL": b"2\x00\r\n{}\r\n0\r\n\r\n",
    "an extension without a name": b"2;=x\r\n{}\r\n0\r\n\r\n",
    "an extension with a control character": b"2;a=\x01\r\n{}\r\n0\r\n\r\n",
    "an extension with a bare CR": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "an extension with a bare LF": b"2;a\n{}\r\n0\r\n\r\n",
    "an extension with an open quote": b'2;a="b\r\n{}\r\n0\r\n\r\n',
    "an extension at the end": b"2\r\n{}\r\n0;=\r\n\r\n",
    "a bare LF after the size": b"2\n{}\r\n0\r\n\r\n",
    "a bare LF after the data": b"2\r\n{}\n0\r\n\r\n",
    "bare LF everywhere": b"2\n{}\n0\n\n",
    "nothing after the data": b"2\r\n{}0\r\n\r\n",
    "more data than said": b"2\r\n{}   \r\n0\r\n\r\n",
    "a trailer that ends with a bare LF": b"2\r\n{}\r\n0\r\nX-A: b\n\r\n",
    "trailers that end with bare LFs": b"2\r\n{}\r\n0\r\nX-A: b\n\n",
    "a trailer without a colon": b"2\r\n{}\r\n0\r\nX-A\r\n\r\n",
    "a trailer with a space before the colon": b"2\r\n{}\r\n0\r\nX-A : b\r\n\r\n",
    "a trailer with a NUL": b"2\r\n{}\r\n0\r\nX-A: \x00\r\n\r\n",
    "a folded trailer": b"2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "a length as a trailer": b"2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n",
    "an encoding as a trailer": b"2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a host as a trailer": b"2\r\n{}\r\n0\r\nHost: y\r\n\r\n",
    "many trailers": b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 70 + b"\r\n",
}

# Of an address `{0}`, as Python's `format` has it; `{1}` is its first letter encoded, `{2}` all of them.
SPELLINGS = (
    "/{0}", "/{0}/", "/{0}//", "//{0}", "///{0}/", "/./{0}", "/{0}/.", "/{0}/./", "/x/../{0}", "/jobs/../{0}/",
    "/{0}/x/..", "/../{0}", "/%2e/{0}", "/x/%2e%2e/{0}", "/x/.%2E/{0}", "/%2f{0}", "/%2F%2f{0}", "/{0}%2f",
    "/{0}%2F%2e", "/x%2f..%2f{0}", "/files/..%2f{0}", "/assets/x/..%2f..%2f{0}", "/{1}", "/{2}", "/{1}/", "/{2}%2F",
    "/{3}", "/{4}", "/%25{1}", "/{0}%252f", "/{0}?x", "/{0}/?x", "/{0}%3f", "/{0}%3Fx=y", "/{0}#x", "/{0}/#x",
    "/{0}%23", "/{0};x", "/{0};/", "/;/{0}", "/x;/../{0}", "/{0}%20", "/{0}%09", "/{0}%0a", "/{0}%00", "/%00{0}",
    "/%20{0}", "/{0}%", "/{0}%zz", "/{0}.", "/{0}.json", "/{0}\\", "/\\{0}", "\\{0}", "/%5c{0}", "/x\\..\\{0}",
    "/%c0%af{0}", "/%u002f{0}", "/{0}/x", "http://x/{0}", "http://x//{0}", "HTTP://X:1/{0}/", "http://x/{0}#x",
    "http://x?/{0}", "http://x#/../{0}", "/http://x/../../../{0}", "//x/{0}",
)  # fmt: skip


def spellings(name: str) -> list[str]:
    """Spellings of the address `/name`, and of others close to it."""
    letters = [f"%{ord(letter):02x}" for letter in name]
    return [
        each.format(name, letters[0] + name[1:], "".join(letters), name.upper(), name.title()) for each in SPELLINGS
    ]
