"""A notification server that shows nothing and answers at once: what is measured is who calls it.

It speaks just enough of D-Bus, by itself: of the servers that show something, some stop answering when
hundreds call them in one second."""

import os
import socket
import struct

NAME = "org.freedesktop.Notifications"
BUS = "org.freedesktop.DBus"
CALL, REPLY, ERROR = 1, 2, 3
PATH, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = 1, 3, 4, 5, 6, 7, 8


def main():
    bus = Bus(os.environ["DBUS_SESSION_BUS_ADDRESS"])
    shown = 0
    for member, to in bus.calls():
        if member == "Notify":
            shown += 1
            bus.send(REPLY, to | {SIGNATURE: ("g", "u")}, struct.pack("<I", shown))
        elif member == "GetServerInformation":
            bus.send(REPLY, to | {SIGNATURE: ("g", "ssss")}, texts("bench", "dosed", "1", "1.2"))
        elif member == "GetCapabilities":
            words = texts("actions", "body")
            bus.send(REPLY, to | {SIGNATURE: ("g", "as")}, struct.pack("<I", len(words)) + words)
        elif member == "CloseNotification":
            bus.send(REPLY, to)
        else:
            bus.send(ERROR, to | {ERROR_NAME: ("s", f"{BUS}.Error.UnknownMethod")})


class Bus:
    """A connection that owns the name."""

    def __init__(self, address):
        path = address.removeprefix("unix:").split(",")[0].removeprefix("path=")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        self.socket.recv(4096)
        self.socket.sendall(b"BEGIN\r\n")
        self.serial = 0
        to_bus = {PATH: ("o", "/org/freedesktop/DBus"), DESTINATION: ("s", BUS)}
        self.send(CALL, to_bus | {MEMBER: ("s", "Hello")})
        flags = struct.pack("<I", 0)
        self.send(CALL, to_bus | {MEMBER: ("s", "RequestName"), SIGNATURE: ("g", "su")}, padded(texts(NAME), 4) + flags)

    def calls(self):
        """Returns the member of each call, and the fields that lead an answer back."""
        stream = self.socket.makefile("rb")
        while start := stream.read(16):
            body, serial, length = struct.unpack("<III", start[4:])
            fields = stream.read(length + -length % 8)
            stream.read(body)
            if start[1] == CALL:
                yield field(fields, MEMBER), {REPLY_SERIAL: ("u", serial), DESTINATION: ("s", field(fields, SENDER))}

    def send(self, kind, fields, body=b""):
        self.serial += 1
        header = b""
        for code, (of, value) in fields.items():
            header = padded(header, 8) + bytes([code, 1]) + of.encode() + b"\0"
            if of == "u":
                header += struct.pack("<I", value)
            elif of == "g":
                header += bytes([len(value)]) + value.encode() + b"\0"
            else:
                header += texts(value)
        start = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), self.serial, len(header))
        self.socket.sendall(padded(start + header, 8) + body)


def texts(*values):
    data = b""
    for value in values:
        data = padded(data, 4) + struct.pack("<I", len(value)) + value.encode() + b"\0"
    return data


def padded(data, to):
    return data + bytes(-len(data) % to)


def field(fields, wanted):
    """Returns a text of a message's header."""
    at = 0
    while at < len(fields):
        at += -at % 8
        code, of = fields[at], chr(fields[at + 2])
        at += 4
        size = {"g": 1, "u": 0}.get(of, 4)
        length = int.from_bytes(fields[at:at + size], "little") + 1 if size else 4
        at += size
        if code == wanted:
            return fields[at:at + length - 1].decode()
        at += length
    return None


if __name__ == "__main__":
    main()
