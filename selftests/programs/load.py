#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Load that notices every byte: an echo server, and a client that asks until a
file is there, on one TCP connection and one UDP socket.

load.py serve PORT
load.py ask HOST PORT STOP RESULT [PAUSE]
load.py idle HOST PORT SPEAK RESULT

The client writes what it found to RESULT: "ok" and how much came back as it went,
or what did not. Datagrams are never sent again: WINDOW of them are under way, and
one whose echo does not come is lost.
"""
import hashlib
import os
import random
import socket
import sys
import threading
import time

BLOCK, WINDOW, PATIENCE = 8192, 8, 120


def echo_stream(conn):
    while True:
        data = conn.recv(65536)
        if not data:
            break
        conn.sendall(data)
    conn.close()


def serve(port):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(('', port))

    def datagrams():
        while True:
            data, peer = udp.recvfrom(65536)
            udp.sendto(data, peer)

    threading.Thread(target=datagrams, daemon=True).start()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('', port))
    listener.listen()
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=echo_stream, args=(conn,), daemon=True).start()


def take(conn, size):
    data = b''
    while len(data) < size:
        more = conn.recv(size - len(data))
        if not more:
            raise EOFError('the stream ended')
        data += more
    return data


def stream(host, port, stop, pause):
    """Sends blocks, another thread reads them: both directions are always busy."""
    conn = socket.create_connection((host, port))
    conn.settimeout(PATIENCE)
    sent, got, blocks, error = hashlib.sha256(), hashlib.sha256(), [], []
    room = threading.Semaphore(WINDOW)

    def reader():
        try:
            while True:
                data = conn.recv(65536)
                if not data:
                    break
                got.update(data)
                before, count[0] = count[0], count[0] + len(data)
                for _ in range(count[0] // BLOCK - before // BLOCK):
                    room.release()
        except OSError as e:
            error.append(repr(e))
            room.release()

    count = [0]
    thread = threading.Thread(target=reader)
    thread.start()
    source = random.Random(port)
    while not os.path.exists(stop) and not error:
        if not room.acquire(timeout=PATIENCE):
            raise EOFError('nothing came back')
        block = source.randbytes(BLOCK)
        conn.sendall(block)
        sent.update(block)
        blocks.append(1)
        time.sleep(pause)
    conn.shutdown(socket.SHUT_WR)
    thread.join()
    if error or count[0] != BLOCK * len(blocks) or \
            sent.digest() != got.digest():
        raise EOFError('stream: %d of %d bytes, %s' % (
            count[0], BLOCK * len(blocks), error))
    return '%d bytes %s' % (count[0], got.hexdigest()[:12])


def datagrams(host, port, stop, pause):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((host, port))
    sock.settimeout(PATIENCE)
    waiting, number = {}, 0
    while waiting or not os.path.exists(stop):
        while len(waiting) < WINDOW and not os.path.exists(stop):
            number += 1
            waiting[number] = b'%d ' % number + random.randbytes(500)
            sock.send(waiting[number])
        if not waiting:
            break
        try:
            data = sock.recv(65536)
        except OSError as e:
            raise EOFError('datagrams: %d of %d lost: %r' % (
                len(waiting), number, e))
        if waiting.pop(int(data.split(b' ', 1)[0]), None) != data:
            raise EOFError('datagrams: one that was not sent, or twice')
        time.sleep(pause)
    return '%d datagrams' % number


def write(result, text):
    with open(result + '.new', 'w') as f:
        f.write(text + '\n')
    os.rename(result + '.new', result)


def ask(host, port, stop, result, pause='0'):
    said = ['', '']

    def part(i, function):
        try:
            said[i] = 'ok ' + function(host, int(port), stop, float(pause))
        except (OSError, EOFError) as e:
            said[i] = 'FAILED %s' % e

    threads = [threading.Thread(target=part, args=a)
               for a in ((0, stream), (1, datagrams))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    write(result, '; '.join(said))


def idle(host, port, speak, result):
    """Says one thing, and another when SPEAK is there."""
    conn = socket.create_connection((host, int(port)))
    conn.settimeout(PATIENCE)
    conn.sendall(b'one')
    said = take(conn, 3)
    write(result, 'idle')
    while not os.path.exists(speak):
        time.sleep(0.2)
    try:
        conn.sendall(b'two')
        said += take(conn, 3)
        write(result, 'ok' if said == b'onetwo' else 'FAILED %r' % said)
    except (OSError, EOFError) as e:
        write(result, 'FAILED %s' % e)


if sys.argv[1] == 'serve':
    serve(int(sys.argv[2]))
else:
    {'ask': ask, 'idle': idle}[sys.argv[1]](*sys.argv[2:])
