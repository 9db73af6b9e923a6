#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Node's http server and client: many requests on kept connections, streams up and
# down.
#   NODE_MB         size of the streams (30)
#   NODE_REQUESTS   requests, fifty at a time (1000)

# shellcheck source-path=SCRIPTDIR source=lib.sh
. /t/lib.sh

: "${NODE_MB:=30}" "${NODE_REQUESTS:=1000}"
MARK=NST-PLAINTEXT-NODE
PORTS=(--tcp 8080)

cat >server.js <<'END'
const http = require('http'), fs = require('fs'), crypto = require('crypto');
let connections = 0;
const server = http.createServer((req, res) => {
	if (req.url === '/connections')
		return res.end(String(connections));
	if (req.url === '/big')
		return fs.createReadStream('big').pipe(res);
	if (req.method === 'PUT') {
		const sum = crypto.createHash('sha256');
		req.on('data', (d) => sum.update(d));
		req.on('end', () => res.end(sum.digest('hex')));
		return;
	}
	res.end(process.argv[2] + req.url);
});
server.on('connection', () => connections++);
server.keepAliveTimeout = 600000;
server.listen(8080, '10.12.0.2', 1024);
END
cat >client.js <<'END'
const http = require('http'), fs = require('fs'), crypto = require('crypto');
const mark = process.argv[2], number = Number(process.argv[3]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
const ask = (path, method, body) => new Promise((good, bad) => {
	const req = http.request({ host: '10.12.0.2', port: 8080, path,
				   method, agent }, (res) => {
		const parts = [];
		res.on('data', (d) => parts.push(d));
		res.on('end', () => good(Buffer.concat(parts)));
		res.on('error', bad);
	});
	req.on('error', bad);
	if (body) body.pipe(req); else req.end();
});
const sum = (d) => crypto.createHash('sha256').update(d).digest('hex');
(async () => {
	const all = [];
	for (let i = 0; i < number; i++)
		all.push(ask('/' + i, 'GET'));
	const got = await Promise.all(all);
	const right = got.filter((d, i) => String(d) === mark + '/' + i).length;
	const connections = Number(await ask('/connections', 'GET'));
	const big = fs.readFileSync('big');
	const down = sum(await ask('/big', 'GET')) === sum(big);
	const up = String(await ask('/up', 'PUT', fs.createReadStream('big'))) ===
		sum(big);
	console.log(JSON.stringify({ right, connections, down, up }));
	agent.destroy();
})();
END

# told NAME PATTERN: of what the client has found
told()
{
	grep -qE "$2" said
	say $? "$1" said errors server
}

scene()
{
	local mb n

	mb=$(size "$NODE_MB")
	n=$(size "$NODE_REQUESTS")
	marked "$MARK" $((mb << 20)) big
	run h2 node server.js "$MARK" >server 2>&1 &
	listening h2 tcp 8080 || return
	run h1 node client.js "$MARK" "$n" >said 2>errors
	told "$n requests are answered" "\"right\":$n,"
	told "on 50 connections, kept" '"connections":50,'
	told "$mb MB down are the same" '"down":true'
	told "$mb MB up are the same" '"up":true'
}

both 2 scene "$MARK"
finish
