#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
echo.py listen PORT: sends back what it receives (asyncio)
echo.py HOST PORT FILE: sends a file (sendfile), prints what comes back (socket)

With the keys of the namespace's box (nstkeyctl load). No module is needed: NST
is two socket options, and everything else is as with any socket.
"""
import asyncio
import errno
import socket
import struct
import sys
import threading

TCP_ULP = 31
SOL_NST, NST_TX_RX = 20051, 6
AES_GCM = 1


def use_nst(sock, context=b"echo"):
    """Before connect() or listen(). Nothing leaves or enters in plaintext."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"nst")
    # struct nst_crypto_info: no keys of its own, so those of the box
    sock.setsockopt(SOL_NST, NST_TX_RX, struct.pack(
        "=BBHIHB5x32s", 1, AES_GCM, 0, 0, 0, len(context), context))


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError as e:
        # EBADMSG, EPROTO, ...: the peer is not who it should be
        print("receiving:", errno.errorcode[e.errno], file=sys.stderr)
    writer.close()


async def serve(port):
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    use_nst(listener)               # what is accepted has it, too
    listener.bind(("::", port))
    server = await asyncio.start_server(echo, sock=listener)
    await server.serve_forever()


def dial(host, port):
    family, kind, proto, _, addr = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, proto)
    use_nst(sock)
    sock.connect(addr)
    return sock


def send(sock, path):
    with open(path, "rb") as file:
        sock.sendfile(file)         # os.sendfile(): the kernel encrypts
    sock.shutdown(socket.SHUT_WR)


def ask(host, port, path):
    with dial(host, port) as sock:
        sender = threading.Thread(target=send, args=(sock, path))
        sender.start()
        while data := sock.recv(65536):
            sys.stdout.buffer.write(data)
        sender.join()


if sys.argv[1] == "listen":
    asyncio.run(serve(int(sys.argv[2])))
else:
    ask(sys.argv[1], int(sys.argv[2]), sys.argv[3])
