/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one call on one descriptor means under a policy, and the attach. For both
 * engines: it may run in a signal handler or behind vfork().
 */
#ifndef NST_RUN_ATTACH_H
#define NST_RUN_ATTACH_H

#include "policy.h"

/**
 * enum attach_call - what is about to be done
 * @ATTACH_LISTEN: listen(); the local port counts
 * @ATTACH_CONNECT: connect(); the remote port counts, and the local one
 * @ATTACH_BIND: bind(); the local port in the address counts, of UDP only
 * @ATTACH_BOUND: UDP got its port by bind() to port 0 just now
 * @ATTACH_SEND: a send with an address; its port counts, of UDP only. With
 *	MSG_FASTOPEN a TCP socket connects by it: that is ATTACH_CONNECT
 * @ATTACH_HANDED: nothing: a descriptor that came from elsewhere (LISTEN_FDS,
 *	SCM_RIGHTS); both ports count
 */
enum attach_call {
	ATTACH_LISTEN,
	ATTACH_CONNECT,
	ATTACH_BIND,
	ATTACH_BOUND,
	ATTACH_SEND,
	ATTACH_HANDED,
	ATTACH_CALLS
};

/**
 * enum attach_outcome - what came of it
 * @ATTACH_NOT_INET: neither TCP nor UDP, or no socket: left
 * @ATTACH_NOT_NAMED: no port of the policy: left
 * @ATTACH_DONE: has NST and keys now
 * @ATTACH_HAD: had them before
 * @ATTACH_FAILED: the call must fail
 */
enum attach_outcome {
	ATTACH_NOT_INET,
	ATTACH_NOT_NAMED,
	ATTACH_DONE,
	ATTACH_HAD,
	ATTACH_FAILED
};

/**
 * struct attach_result - all about it, for the journal and --explain
 * @call: as it was asked
 * @outcome: what came of it
 * @protocol: IPPROTO_TCP or IPPROTO_UDP; 0: not looked at
 * @remote: @port is that of the peer
 * @port: the port that counted, or the first one that was looked at
 * @error: the errno if it failed, else 0
 * @keyless: attached, but the box has no key to send under
 */
struct attach_result {
	enum attach_call call;
	enum attach_outcome outcome;
	int protocol;
	int remote;
	uint16_t port;
	int error;
	int keyless;
};

int attach_protocol(int fd);
int attach_port(const void *addr, unsigned int len);
int attach_call(const struct policy *policy, enum attach_call call, int fd,
		const void *addr, unsigned int len,
		struct attach_result *result);
const char *attach_call_name(enum attach_call call);
const char *attach_hint(int err);

#endif /* NST_RUN_ATTACH_H */
