// SPDX-License-Identifier: GPL-2.0
/*
 * connect(), listen(), bind() and socket() as the supervisor makes them, and
 * accept(), which it looks at only.
 *
 * A call is let go on in the program (SECCOMP_USER_NOTIF_FLAG_CONTINUE) only
 * where the kernel cannot find anything else then than what was looked at here:
 * it reads the address again, and looks the descriptor up again. So every call
 * on a socket of IPv4 or IPv6 is made here, on the copy of the socket with the
 * copy of the address; one on another socket goes on if the program has but one
 * thread, as nobody can put a TCP socket in its place then, and is else made
 * here in the program's name. Sends (sends.c) go on in a program of one thread,
 * but for a datagram of a socket without NST, and are else made here, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <nst/nst.h>
#include "../explain.h"
#include "../journal.h"
#include "accepts.h"
#include "calls.h"
#include "connects.h"
#include "door.h"
#include "guise.h"

#define ADDR_MAX	sizeof(struct sockaddr_storage)

/**
 * call_name() - the journal names who calls, by the name of this thread
 * @target: who
 */
void call_name(const struct target *target)
{
	char path[64], name[17] = "";
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/comm", target->req->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (fd >= 0)
		close(fd);
	name[n > 0 ? n - 1 : 0] = 0;
	prctl(PR_SET_NAME, name);
}

/**
 * call_refuse() - fail a call, and say why in the journal
 * @call: it
 * @line: why
 *
 * Return: -EACCES.
 */
int call_refuse(const struct call *call, const char *line)
{
	call_name(&call->target);
	journal_line(line);
	return -EACCES;
}

/**
 * call_attach() - see to it that the socket has NST if it needs it
 * @call: on which call
 * @what: for attach_call()
 * @fd: the copy of the socket
 * @addr: the copy of the address, or NULL
 * @len: of @addr
 *
 * Return: 0, or what the call must fail with; the journal has been told.
 */
int call_attach(struct call *call, enum attach_call what, int fd,
		const void *addr, unsigned int len)
{
	struct attach_result result;
	int err = attach_call(call->policy, what, fd, addr, len, &result);

	call->result = result;
	explain_call(fd, &result);
	if (!err && result.outcome != ATTACH_DONE)
		return 0;
	call_name(&call->target);
	if (err)
		journal_failure(&result);
	else
		journal_keyless(&result);
	return err;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) ? -1 : value;
}

/**
 * call_protocol() - what a socket is
 * @fd: it
 * @domain: receives its family
 *
 * One with TCP inside, as of SMC or MPTCP, is TCP, as attach_protocol() has it.
 *
 * Return: its protocol if it is one of IPv4 or IPv6, else -1.
 */
int call_protocol(int fd, int *domain)
{
	int protocol = attach_protocol(fd);

	*domain = option(fd, SO_DOMAIN);
	if (protocol)
		return protocol;
	if (*domain != AF_INET && *domain != AF_INET6)
		return -1;
	return option(fd, SO_PROTOCOL);
}

/**
 * call_has_nst() - can nothing leave a socket in plaintext?
 * @fd: it
 *
 * Return: 1 if it has NST.
 */
int call_has_nst(int fd)
{
	struct nst_info info;

	return !nst_info(fd, &info);
}

/**
 * call_blocks() - may a call on a socket block?
 * @fd: it
 *
 * Return: 1 if it may.
 */
int call_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

/* On sockets that NST has nothing to do with. */
static int elsewhere(struct call *call, int fd, const void *addr, int len)
{
	if (target_alone(&call->target)) {
		call->go_on = 1;
		return 0;
	}
	if (call->target.req->data.nr == SYS_connect && call_blocks(fd) &&
	    !call->may_block)
		return -EAGAIN;
	return guise_call(&call->target, fd, addr, len);
}

static int is_named(const struct attach_result *result)
{
	return result->outcome == ATTACH_DONE || result->outcome == ATTACH_HAD;
}

/*
 * A connection that stands or comes about in plaintext, to a port that is not
 * covered, is no connection to one that is: the kernel would say so, if the
 * first did not fail meanwhile.
 */
static int is_late(struct call *call, int fd, const void *addr, int len)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	int port = attach_port(addr, len);

	if (port <= 0 || !ports_has(&call->policy->tcp, port) ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ||
	    info.tcpi_state == TCP_CLOSE || call_has_nst(fd))
		return 0;
	return info.tcpi_state == TCP_SYN_SENT ||
		info.tcpi_state == TCP_SYN_RECV ? -EALREADY : -EISCONN;
}

/* A port that came between the look and the call is an end to it. */
static int still_right(struct call *call, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int port;

	port = getsockname(fd, (struct sockaddr *)&addr, &len) ? 0 :
		attach_port(&addr, len);
	return port <= 0 || !ports_has(&call->policy->tcp, port) ||
		call_has_nst(fd);
}

/* May it be the kernel that has chosen a client's port? */
static int is_chosen(int fd)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int first = 0, last = 0, port;

	if (file) {
		if (fscanf(file, "%d %d", &first, &last) != 2)
			last = 0;
		fclose(file);
	}
	port = getsockname(fd, (struct sockaddr *)&addr, &len) ? 0 :
		attach_port(&addr, len);
	return port >= first && port <= last;
}

/*
 * connect() of a socket without NST. Another thread may have bound it to a named
 * port meanwhile; one that the kernel has chosen is not looked at.
 */
static int connect_plain(struct call *call, int fd, const void *addr, int len)
{
	int err = connects_make(call, fd, addr, len);

	if (still_right(call, fd) || is_chosen(fd))
		return err;
	shutdown(fd, SHUT_RDWR);
	return err && err != -EINPROGRESS ? err : -EADDRINUSE;
}

static int call_connect(struct call *call, int fd, const void *addr, int len)
{
	const struct sockaddr *sa = addr;
	int domain, protocol = call_protocol(fd, &domain), err;

	if (protocol < 0)
		return elsewhere(call, fd, addr, len);
	if (len < (int)sizeof(sa->sa_family) || sa->sa_family == AF_UNSPEC)
		return connects_make(call, fd, addr, len);
	err = protocol == IPPROTO_TCP ? is_late(call, fd, addr, len) : 0;
	if (!err)
		err = call_attach(call, ATTACH_CONNECT, fd, addr, len);
	if (err)
		return err;
	if (!is_named(&call->result) && protocol == IPPROTO_TCP)
		return connect_plain(call, fd, addr, len);
	if (!call->policy->secret || !is_named(&call->result))
		return connects_make(call, fd, addr, len);
	return connects_secret(call, fd, addr, len);
}

static int call_listen(struct call *call, int fd)
{
	int domain, protocol = call_protocol(fd, &domain), err;

	if (protocol < 0)
		return elsewhere(call, fd, NULL, 0);
	err = call_attach(call, ATTACH_LISTEN, fd, NULL, 0);
	if (err)
		return err;
	if (call->policy->secret && is_named(&call->result) && door_fits(fd))
		return call_refuse(call, door_why);
	if (listen(fd, (int)call->target.req->data.args[1]))
		return -errno;
	if (call->policy->secret && is_named(&call->result))
		door_know(fd, (int)call->target.req->data.args[0]);
	if (protocol != IPPROTO_TCP || still_right(call, fd))
		return 0;
	shutdown(fd, SHUT_RDWR);
	return -EADDRINUSE;
}

/*
 * A socket that should have NST and has it not must not keep its port: the
 * program would receive plaintext there. One of UDP gives back a port that the
 * kernel chose; of TCP no listen() comes of it without NST.
 */
static void unbind(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int domain;

	if (call_protocol(fd, &domain) == IPPROTO_UDP)
		connect(fd, &none, sizeof(none));
}

static int call_bind(struct call *call, int fd, const void *addr, int len)
{
	int domain, err;

	if (call_protocol(fd, &domain) < 0)
		return elsewhere(call, fd, addr, len);
	err = call_attach(call, ATTACH_BIND, fd, addr, len);
	if (err)
		return err;
	guise_caps(&call->target);
	err = bind(fd, addr, len) ? -errno : 0;
	guise_caps_off();
	if (err || attach_port(addr, len))
		return err;
	err = call_attach(call, ATTACH_BOUND, fd, NULL, 0);
	if (err)
		unbind(fd);
	return err;
}

/*
 * socket() for MPTCP makes a TCP socket. It must be what the program would have
 * made; where it cannot be, there is no MPTCP, as on many kernels.
 */
static int call_socket(struct call *call)
{
	const struct seccomp_notif *req = call->target.req;
	struct seccomp_notif_addfd addfd = { .id = req->id };
	int domain = (int)req->data.args[0], type = (int)req->data.args[1];
	struct target_status status;
	int fd;

	/* Nothing but registers, so it may: no MPTCP, whatever it is. */
	if ((domain != AF_INET && domain != AF_INET6) ||
	    (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM) {
		call->go_on = 1;
		return 0;
	}
	if (!target_same(req->pid, "net") ||
	    target_status(req->pid, &status) || status.uid[3] != geteuid())
		return -EPROTONOSUPPORT;
	fd = socket(domain, type | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	addfd.srcfd = fd;
	addfd.newfd_flags = type & SOCK_CLOEXEC ? O_CLOEXEC : 0;
	call->value = ioctl(call->target.notify, SECCOMP_IOCTL_NOTIF_ADDFD,
			    &addfd);
	close(fd);
	return call->value < 0 ? -errno : 0;
}

/* Those that have an address, with a copy of it. */
static int with_address(struct call *call, int fd,
			int (*make)(struct call *call, int fd, const void *addr,
				    int len))
{
	const struct seccomp_data *data = &call->target.req->data;
	char addr[ADDR_MAX] __attribute__((aligned(8))) = "";
	int len = (int)data->args[2], err;

	if (len < 0 || len > (int)sizeof(addr))
		return -EINVAL;
	err = target_read(&call->target, addr, data->args[1], len);
	return err ? err : make(call, fd, addr, len);
}

/**
 * call_make() - make a call, or say that it may go on
 * @call: it
 *
 * Return: 0, or the negative errno that it fails with. -ENOENT from a target
 * that has gone reaches nobody.
 */
int call_make(struct call *call)
{
	int nr = call->target.req->data.nr, fd, err;

	if (!target_confined_alike(call->target.req->pid))
		return call_refuse(call,
				   "call refused: another label (AppArmor, SELinux) than nst-run's");
	if (nr == SYS_socket)
		return call_socket(call);
	fd = target_socket(&call->target);
	if (fd == -EACCES)
		call_refuse(call,
			    "call refused: the process is not dumpable (nst-run as root can)");
	if (fd == TARGET_APART)
		return call_refuse(call,
				   "call refused: before Linux 6.9 a thread with descriptors of its own, or whose first one has ended, is out of reach");
	if (fd < 0)
		return fd;
	switch (nr) {
	case SYS_connect:
		err = with_address(call, fd, call_connect);
		break;
	case SYS_bind:
		err = with_address(call, fd, call_bind);
		break;
	case SYS_listen:
		err = call_listen(call, fd);
		break;
	case SYS_accept:
	case SYS_accept4:
		err = accepts_make(call, fd);
		break;
	default:
		err = call_send(call, fd);
	}
	close(fd);
	return err;
}
