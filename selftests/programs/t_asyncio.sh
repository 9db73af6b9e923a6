#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Python's asyncio: an echo server, and clients that are all connected at once
# before the first of them sends; each of them checks what comes back.
#   ASYNCIO_CLIENTS   their number (500)
#   ASYNCIO_KB        what each sends (64)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${ASYNCIO_CLIENTS:=500}" "${ASYNCIO_KB:=64}"
MARK=NST-PLAINTEXT-ASYNCIO
PORTS=(--tcp 8000 --udp 8000)

cat >echo.py <<'END'
import asyncio, sys

async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write(b"end")
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "10.12.0.2", 8000, backlog=1024)
    async with server:
        await server.serve_forever()

asyncio.run(main())
END
cat >clients.py <<'END'
import asyncio, sys

number, size, mark = int(sys.argv[1]), int(sys.argv[2]) << 10, sys.argv[3]
LIMIT = 3000

async def client(i, all_there):
    line = ("%s %d\n" % (mark, i)).encode()
    data = (line * (size // len(line) + 1))[:size]
    reader, writer = await asyncio.open_connection("10.12.0.2", 8000)
    all_there.count += 1
    if all_there.count == number:
        all_there.event.set()
    await all_there.event.wait()
    sender = asyncio.ensure_future(send(writer, data))
    back = await reader.read(-1)
    await sender
    writer.close()
    return back == data + b"end"

async def send(writer, data):
    for at in range(0, len(data), 8000):
        writer.write(data[at:at + 8000])
        await writer.drain()
    writer.write_eof()

class There:
    pass

async def main():
    there = There()
    there.count, there.event = 0, asyncio.Event()
    same = await asyncio.wait_for(asyncio.gather(
        *(client(i, there) for i in range(number))), LIMIT)
    print(sum(same), "of", number)
    return not all(same)

sys.exit(asyncio.run(main()))
END
cat >datagram.py <<'END'
import asyncio, sys

class Client(asyncio.DatagramProtocol):
    def __init__(self, done):
        self.done = done
    def datagram_received(self, data, addr):
        self.done.set_result(data)

class Server(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
    def datagram_received(self, data, addr):
        self.transport.sendto(data.upper(), addr)

async def serve():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Server, ("10.12.0.2", 8000))
    await asyncio.sleep(100000)

async def ask(data):
    loop = asyncio.get_running_loop()
    for attempt in range(10):
        done = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Client(done), remote_addr=("10.12.0.2", 8000))
        transport.sendto(data)
        try:
            return await asyncio.wait_for(done, 10)
        except asyncio.TimeoutError:
            transport.close()

if len(sys.argv) > 1:
    back = asyncio.run(ask(sys.argv[1].encode()))
    sys.exit(back != sys.argv[1].upper().encode())
asyncio.run(serve())
END

scene()
{
	local n

	n=$(size "$ASYNCIO_CLIENTS")
	bare h2 sysctl -qw net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096
	run h2 python3 echo.py >server 2>&1 &
	listening h2 tcp 8000 || return
	run h1 python3 clients.py "$n" "$ASYNCIO_KB" "$MARK" >said 2>&1
	say $? "each of $n clients gets its $ASYNCIO_KB KB: $(tail -n 1 said)" \
		said server
	run h2 python3 datagram.py >server 2>&1 &
	listening h2 udp 8000 || return
	run h1 python3 datagram.py "$MARK datagram" >said 2>&1
	say $? "a datagram endpoint is answered" said server
}

both 2 scene "$MARK"
finish
