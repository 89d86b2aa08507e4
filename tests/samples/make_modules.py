#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes Particle module files for the tests, with Python's own zlib, hashlib and struct.

It is the tests' second opinion: it follows the vendor's description of the format and shares nothing with the
parser under test. Usage: make_modules.py DIRECTORY
"""
import hashlib
import struct
import sys
import zlib
from pathlib import Path

DROP, COMPRESSED, COMBINED = 1, 2, 4
BOOTLOADER, SYSTEM, USER, RADIO = 2, 4, 5, 8
BORON = 13


def pattern(length, seed):
    """Bytes that compress somewhat and repeat nowhere near."""
    return b"".join(hashlib.sha256(bytes([seed, i & 0xFF, i >> 8])).digest()[:16] * 2 for i in range(length // 32))


def header(start, end, flags, version, function, index, deps, platform=BORON):
    deps = (list(deps) + [(0, 0, 0), (0, 0, 0)])[:2]
    return struct.pack("<IIBBHHBB", start, end, 0, flags, version, platform, function, index) + b"".join(
        struct.pack("<BBH", *dep) for dep in deps)


def seal(body, wrapped=None):
    """Appends suffix and CRC. `wrapped` is what the hash covers if that is not everything before it."""
    reserved = b"\0\0"
    digest = hashlib.sha256(body + reserved if wrapped is None else wrapped).digest()
    body += reserved + digest + struct.pack("<H", 36)
    return body + struct.pack(">I", zlib.crc32(body))


def plain(start, payload, *, vectors=b"", **fields):
    end = start + len(vectors) + 24 + len(payload) + 36
    return seal(vectors + header(start, end, fields.pop("flags", 0), **fields) + payload)


def wrapped(start, payload, *, flags=DROP, **fields):
    end = start + 24 + len(payload) + 36
    return seal(header(start, end, flags, **fields) + payload, payload)


def compressed(start, original, *, original_size=None, flags=COMPRESSED, method=0, window=15, **fields):
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflate.compress(original) + deflate.flush()
    size = len(original) if original_size is None else original_size
    extra = struct.pack("<HBBI", 8, method, window, size)
    return plain(start, extra + data, flags=flags, **fields)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)

    def save(name, data):
        (out / name).write_bytes(data)
        return data

    vectors = struct.pack("<II", 0x2003F000, 0xF4221) + bytes(0x200 - 8)
    user_fields = dict(function=USER, index=1, version=7, deps=[(SYSTEM, 1, 326)])
    user = save("user.bin", plain(0xD4000, pattern(2048, 1), **user_fields))
    save("bootloader.bin", plain(0xF4000, pattern(1024, 2), vectors=vectors, function=BOOTLOADER, index=0,
                                 version=1005, deps=[]))
    radio_fields = dict(function=RADIO, index=0, version=202, deps=[(BOOTLOADER, 0, 501), (SYSTEM, 1, 1321)])
    radio_payload = save("radio-payload.bin", pattern(4096, 3))
    radio = save("radio.bin", wrapped(0x1000, radio_payload, **radio_fields))
    save("compressed.bin", compressed(0xD4000, user, **user_fields))
    save("combined.bin", wrapped(0x1000, radio_payload, flags=DROP | COMBINED, **radio_fields) + user)
    save("combined-lonely.bin", plain(0xD4000, pattern(2048, 1), flags=COMBINED, **user_fields))
    save("compressed-long.bin", compressed(0xD4000, user, original_size=len(user) + 1, **user_fields))
    save("compressed-short.bin", compressed(0xD4000, user, original_size=len(user) - 1, **user_fields))
    save("compressed-huge.bin", compressed(0xD4000, user, original_size=0xFFFFFFFF, **user_fields))
    save("compressed-method.bin", compressed(0xD4000, user, method=1, **user_fields))
    save("platform-77.bin", plain(0xD4000, pattern(2048, 1), platform=77, **user_fields))
    save("function-99.bin", plain(0xD4000, pattern(2048, 1), **dict(user_fields, function=99)))
    save("past-flash.bin", plain(0xFFFC0, pattern(2048, 1), **user_fields))
    save("in-mbr.bin", plain(0x800, pattern(2048, 1), **user_fields))

    damaged = bytearray(user)
    damaged[100] ^= 0x10
    save("damaged.bin", bytes(damaged))
    save("damaged.txt", b"CRC-32 wrong: the file says %08x, its bytes give %08x" % (
        struct.unpack(">I", user[-4:])[0], zlib.crc32(bytes(damaged[:-4]))))
    bad_hash = bytearray(user[:-4])
    bad_hash[-10] ^= 1
    save("bad-hash.bin", bytes(bad_hash) + struct.pack(">I", zlib.crc32(bytes(bad_hash))))
    save("radio-hash.txt", hashlib.sha256(radio_payload).hexdigest().encode())
    save("user-hash.txt", hashlib.sha256(user[:-38]).hexdigest().encode())
    assert len(radio) == 24 + len(radio_payload) + 36 + 4


main()
