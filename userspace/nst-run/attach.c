// SPDX-License-Identifier: GPL-2.0
/*
 * One call on one descriptor: does a policy cover it, and the attach.
 *
 * Keys, and what a socket has, are libnst's affair. The attach itself is not: its
 * nst_tcp() gives a socket keys that another thread has attached and is about to
 * give its own, which may be those of an exchange by then.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <nst/nst.h>
#include "attach.h"
#include "sys.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT	24
#endif
#ifndef AF_SMC
#define AF_SMC		43
#endif

/* A send() that sleeps in TCP makes an attach EBUSY: 1 ms, a hundred times. */
#define BUSY_TRIES	100

/**
 * attach_port() - the port of an address
 * @addr: of AF_INET, AF_INET6, or AF_UNSPEC, which some calls take for AF_INET
 * @len: of @addr
 *
 * Return: it, or -1 if the address has none.
 */
int attach_port(const void *addr, unsigned int len)
{
	struct sockaddr_in in;

	/* All three have it in one place. */
	if (!addr || len < offsetof(struct sockaddr_in, sin_addr))
		return -1;
	memcpy(&in, addr, offsetof(struct sockaddr_in, sin_addr));
	if (in.sin_family != AF_INET && in.sin_family != AF_INET6 &&
	    in.sin_family != AF_UNSPEC)
		return -1;
	return ntohs(in.sin_port);
}

static int sock_number(int fd, int name)
{
	unsigned int len = sizeof(int);
	int value;

	if (sys_getsockopt(fd, SOL_SOCKET, name, &value, &len))
		return -1;
	return value;
}

/*
 * A stream of IP that is not TCP has TCP inside, as those of SMC and MPTCP, and
 * falls back to it in plaintext; so may one of a kernel to come. Only SCTP is
 * known to have ports of its own, and DCCP, which is no stream.
 */
static int has_tcp_inside(int fd, int protocol)
{
	int domain = sock_number(fd, SO_DOMAIN);

	return domain == AF_SMC ||
	       ((domain == AF_INET || domain == AF_INET6) &&
		protocol != IPPROTO_SCTP);
}

/* As attach_protocol(); @inside: is it TCP that another protocol has inside? */
static int look(int fd, int *inside)
{
	int type = sock_number(fd, SO_TYPE), protocol;

	*inside = 0;
	/* Raw sockets have a protocol, not the type. */
	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return 0;
	protocol = sock_number(fd, SO_PROTOCOL);
	if (type == SOCK_DGRAM)
		return protocol == IPPROTO_UDP ? IPPROTO_UDP : 0;
	if (protocol != IPPROTO_TCP)
		*inside = has_tcp_inside(fd, protocol);
	return protocol == IPPROTO_TCP || *inside ? IPPROTO_TCP : 0;
}

/**
 * attach_protocol() - what is a descriptor?
 * @fd: the descriptor
 *
 * Return: IPPROTO_TCP, also for what has TCP inside; IPPROTO_UDP; or 0 for all
 * else.
 */
int attach_protocol(int fd)
{
	int inside;

	return look(fd, &inside);
}

static int local_port(int fd)
{
	struct sockaddr_storage addr;
	unsigned int len = sizeof(addr);

	return sys_getsockname(fd, &addr, &len) ? -1 : attach_port(&addr, len);
}

static int remote_port(int fd)
{
	struct sockaddr_storage addr;
	unsigned int len = sizeof(addr);

	return sys_getpeername(fd, &addr, &len) ? -1 : attach_port(&addr, len);
}

static int set_keys(int fd, const struct policy *policy, int protocol,
		    unsigned int role)
{
	struct nst_opts opts = {
		.size = sizeof(opts),
		.cipher = policy->cipher,
		.flags = role,
		.context = policy->context,
		.context_len = policy->context_len,
	};

	if (policy->strict && protocol == IPPROTO_TCP)
		opts.flags |= NST_F_STRICT;
	return nst_set_keys(fd, &opts);
}

static int attach_tcp(int fd, int listens)
{
	int zero = 0;
	long err;

	/* Data in a SYN would come before NST. Off is no error where it is. */
	if (listens)
		sys_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &zero,
			       sizeof(zero));
	err = sys_setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3);
	if (err != -EOPNOTSUPP)
		return err;
	sys_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &zero,
		       sizeof(zero));
	return sys_setsockopt(fd, IPPROTO_TCP, TCP_ULP, "nst", 3);
}

static int attach_udp(int fd)
{
	int one = 1;

	return sys_setsockopt(fd, IPPROTO_IP, NST_ATTACH, &one, sizeof(one));
}

static void pause_ms(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	sys_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, SYS_PTR(&ms), 0, 0,
		 0);
}

/* A socket that a signal leaves attached and without keys stays so. */
static int set_all_keys(int fd, const struct policy *policy, int protocol,
			unsigned int role)
{
	int i, err = -EINTR;

	for (i = 0; i < BUSY_TRIES && err == -EINTR; i++)
		err = set_keys(fd, policy, protocol, role);
	return err;
}

/* In the box is a key to send under; that it may be begun anew changes nothing. */
static int has_key(int fd)
{
	return nst_rekey(fd, 0) != -ENOKEY;
}

/*
 * Another thread may be between attach and keys just now: that is waited for as
 * EBUSY is.
 */
static int attach(int fd, const struct policy *policy, unsigned int role,
		  struct attach_result *result)
{
	int i, err = -EBUSY;

	for (i = 0; i < BUSY_TRIES; i++) {
		err = result->protocol == IPPROTO_TCP ?
			attach_tcp(fd, result->call == ATTACH_LISTEN) :
			attach_udp(fd);
		if (!err) {
			result->outcome = ATTACH_DONE;
			err = set_all_keys(fd, policy, result->protocol, role);
			result->keyless = !err && !has_key(fd);
			return err;
		}
		if (err == -EEXIST) {
			result->outcome = ATTACH_HAD;
			err = nst_is_attached(fd);
			if (err == 1)
				return 0;
			/* Another ULP's */
			if (!err)
				return -EEXIST;
		}
		if (err != -EBUSY && err != -ENOKEY && err != -EINTR)
			break;
		pause_ms();
	}
	return err;
}

static const struct ports *ports_for(const struct policy *policy, int protocol)
{
	return protocol == IPPROTO_TCP ? &policy->tcp : &policy->udp;
}

/*
 * NST gives a TCP socket its role itself, unless it comes late. Datagrams have
 * one only where it is certain: who is on the port may be a peer of its like.
 */
static unsigned int role_of(const struct attach_result *result)
{
	if (result->protocol == IPPROTO_UDP)
		return result->remote && result->call != ATTACH_HANDED ?
			NST_F_INITIATOR : 0;
	if (result->call != ATTACH_HANDED)
		return 0;
	return result->remote ? NST_F_INITIATOR : NST_F_RESPONDER;
}

/*
 * A new port in place of none: then it is known before the socket listens. The
 * address stays: a socket has one and no port by IP_BIND_ADDRESS_NO_PORT, which
 * would leave it so.
 */
static int choose_port(int fd)
{
	struct sockaddr_storage addr;
	unsigned int len = sizeof(addr);
	int zero = 0;
	long err = sys_getsockname(fd, &addr, &len);

	if (err)
		return err;
	sys_setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &zero,
		       sizeof(zero));
	return sys_bind(fd, &addr, len);
}

/* The ports that count, -1 where one does not. */
static void find_ports(enum attach_call call, int fd, const void *addr,
		       unsigned int len, int *local, int *remote)
{
	*local = -1;
	*remote = -1;
	switch (call) {
	case ATTACH_BIND:
		*local = attach_port(addr, len);
		break;
	case ATTACH_CONNECT:
		*local = local_port(fd);
		*remote = attach_port(addr, len);
		break;
	case ATTACH_SEND:
		*remote = attach_port(addr, len);
		break;
	case ATTACH_HANDED:
		*local = local_port(fd);
		*remote = remote_port(fd);
		break;
	default:
		*local = local_port(fd);
	}
}

/* Is one of the ports named for what the socket is? */
static int covers(const struct policy *policy, int local, int remote,
		  struct attach_result *result)
{
	const struct ports *ports = ports_for(policy, result->protocol);

	if (local > 0 && ports_has(ports, local)) {
		result->port = local;
		result->remote = 0;
		return 1;
	}
	return remote > 0 && ports_has(ports, remote);
}

/* Is it worth a look at what kind of socket it is? */
static int named(const struct policy *policy, int local, int remote)
{
	return (local > 0 && (ports_has(&policy->tcp, local) ||
			      ports_has(&policy->udp, local))) ||
	       (remote > 0 && (ports_has(&policy->tcp, remote) ||
			       ports_has(&policy->udp, remote)));
}

/* TCP has no traffic by bind(), and heeds no address of a send. */
static int moves_tcp(enum attach_call call)
{
	return call == ATTACH_LISTEN || call == ATTACH_CONNECT ||
	       call == ATTACH_HANDED;
}

static int fail(struct attach_result *result, int err)
{
	result->protocol = result->protocol ? result->protocol : IPPROTO_TCP;
	result->outcome = ATTACH_FAILED;
	result->error = -err;
	return err;
}

/**
 * attach_call() - what must be done before (ATTACH_BOUND: behind) a call
 * @policy: what is covered
 * @call: which one
 * @fd: the descriptor; in a supervisor, its copy of it
 * @addr: the call's address, if it has one; a copy that nobody changes
 * @len: of @addr
 * @result: receives what was found
 *
 * connect() with AF_UNSPEC ends a connection and is not for this function.
 *
 * Return: 0 if the call may go on, or the negative errno that it must fail with.
 */
int attach_call(const struct policy *policy, enum attach_call call, int fd,
		const void *addr, unsigned int len,
		struct attach_result *result)
{
	int local, remote, err, before, inside;

	memset(result, 0, sizeof(*result));
	result->call = call;
	result->outcome = ATTACH_NOT_NAMED;
	find_ports(call, fd, addr, len, &local, &remote);
	if (call == ATTACH_LISTEN && !local && policy->tcp.nr) {
		if (attach_protocol(fd) != IPPROTO_TCP)
			return 0;	/* listen() says why */
		err = choose_port(fd);
		local = local_port(fd);
		/* listen() might find a port where bind() may not. */
		if (err && local <= 0)
			return fail(result, err);
	}
	result->port = remote > 0 ? remote : local > 0 ? local : 0;
	result->remote = remote > 0;
	if (!named(policy, local, remote))
		return 0;
	result->protocol = look(fd, &inside);
	if (!result->protocol) {
		result->outcome = ATTACH_NOT_INET;
		return 0;
	}
	if (!covers(policy, local, remote, result))
		return 0;
	if (result->protocol == IPPROTO_TCP && !moves_tcp(call))
		return 0;
	/* Nothing is tried: an option may be what has it fall back. */
	if (inside)
		return fail(result, -EOPNOTSUPP);
	before = errno;
	err = attach(fd, policy, role_of(result), result);
	errno = before;
	return err ? fail(result, err) : 0;
}

/**
 * attach_call_name() - for people
 * @call: which one
 *
 * Return: "connect()" and the like.
 */
const char *attach_call_name(enum attach_call call)
{
	static const char * const names[] = {
		[ATTACH_LISTEN] = "listen()",
		[ATTACH_CONNECT] = "connect()",
		[ATTACH_BIND] = "bind()",
		[ATTACH_BOUND] = "bind()",
		[ATTACH_SEND] = "a send",
		[ATTACH_HANDED] = "a socket that was handed over",
	};

	return names[call];
}

/**
 * attach_hint() - what an errno of an attach means here, and the way out
 * @err: a positive errno
 *
 * Return: a text without end.
 */
const char *attach_hint(int err)
{
	switch (err) {
	case ENOENT:
	case ENOPROTOOPT:
		return "nst_ulp is not loaded: modprobe nst_ulp";
	case EPERM:
		return "forbidden here: see sysctl net.nst.enabled and net.nst.strict";
	case ENOKEY:
		return "no keys: nstkeyctl load the box in this network namespace";
	case ENOPKG:
		return "this kernel has no such suite: nstkeyctl caps";
	case EEXIST:
		return "the socket has another ULP, or NST without keys";
	case EBUSY:
		return "the socket is in use in a way that NST cannot share";
	case ENOTCONN:
		return "the connection is ending";
	case EINVAL:
		return "the options do not fit this socket";
	case EOPNOTSUPP:
		return "a socket of this kind cannot have NST";
	case ENOMEM:
		return "no memory";
	}
	return "unexpected";
}
