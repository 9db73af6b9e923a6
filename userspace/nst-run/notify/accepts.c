// SPDX-License-Identifier: GPL-2.0
/*
 * accept(). Without --forward-secret it is looked at only: a listener that
 * another process made, and sent, may be one without NST on a covered port. What
 * the program was given at its start, and what it made, has NST; so this is for
 * strangers, and it goes on in the program whose other thread could only put
 * another stranger there.
 *
 * With it a connection is the program's when its keys are there (door.c), so
 * every accept() is made here; one on a socket of another family goes on only if
 * nobody can put a listener of a covered port in its place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "accepts.h"
#include "door.h"
#include "waits.h"

static int flags_of(const struct call *call)
{
	const struct seccomp_data *data = &call->target.req->data;

	return data->nr == SYS_accept4 ? (int)data->args[3] : 0;
}

/* As the kernel does it: cut to what there is room for, and its whole length. */
static int write_address(const struct call *call,
			 const struct door_guest *guest)
{
	const __u64 *args = call->target.req->data.args;
	int room, len = guest->len, err;

	if (!args[1])
		return 0;
	err = target_read(&call->target, &room, args[2], sizeof(room));
	if (err)
		return err;
	if (room < 0)
		return -EINVAL;
	if (room > len)
		room = len;
	if (room) {
		err = target_write(&call->target, args[1], &guest->addr, room);
		if (err)
			return err;
	}
	return target_write(&call->target, args[2], &len, sizeof(len));
}

static int set_flags(int fd, int flags)
{
	int now = fcntl(fd, F_GETFL);

	if (now < 0)
		return -errno;
	now &= ~O_NONBLOCK;
	if (flags & SOCK_NONBLOCK)
		now |= O_NONBLOCK;
	return fcntl(fd, F_SETFL, now) ? -errno : 0;
}

/*
 * The program's number for it, or a negative errno: then it does not have it. The
 * call is answered in the same step, so a thread that is killed loses nothing.
 * A signal in between would answer it with a number that is none.
 */
static int give(const struct call *call, int fd, int flags)
{
	struct seccomp_notif_addfd addfd = {
		.id = call->target.req->id,
		.flags = SECCOMP_ADDFD_FLAG_SEND,
		.srcfd = fd,
		.newfd_flags = flags & SOCK_CLOEXEC ? O_CLOEXEC : 0,
	};
	sigset_t all, before;
	int number;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	number = ioctl(call->target.notify, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd);
	if (number < 0)
		number = -errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return number;
}

static int has_gone(int err)
{
	return err == -ENOENT || err == -ESRCH;
}

/*
 * Takes @guest's descriptor; 1 if the program has no room for another one, or the
 * thread has gone, whose process may not be the only one with the listener.
 */
static int hand_over(struct call *call, struct door_guest *guest, int flags)
{
	int number, err = write_address(call, guest);

	if (!err)
		err = set_flags(guest->fd, flags);
	number = err ? err : give(call, guest->fd, flags);
	if (number == -EMFILE || has_gone(number))
		return 1;
	close(guest->fd);
	if (number < 0)
		return number;
	call->value = number;
	return 0;
}

static int accept_guest(struct call *call, int fd, int flags)
{
	struct door_guest guest;
	int err = door_fits(fd);

	if (err)
		return call_refuse(call, door_why);
	door_know(fd, (int)call->target.req->data.args[0]);
	err = door_accept(call, fd, &guest);
	if (err)
		return err;
	err = hand_over(call, &guest, flags);
	if (err != 1)
		return err;
	door_back(fd, &guest);
	return -EMFILE;
}

static int accept_plain(int fd, struct door_guest *guest)
{
	guest->len = sizeof(guest->addr);
	guest->fd = accept4(fd, (struct sockaddr *)&guest->addr, &guest->len,
			    SOCK_CLOEXEC);
	return guest->fd < 0 ? -errno : 0;
}

static int is_covered(const struct call *call, int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	int port;

	if (attach_protocol(fd) != IPPROTO_TCP)
		return 0;
	port = getsockname(fd, (struct sockaddr *)&addr, &len) ? 0 :
		attach_port(&addr, len);
	return port > 0 && ports_has(&call->policy->tcp, port);
}

/* On sockets that NST has nothing to do with */
static int accept_elsewhere(struct call *call, int fd, int flags)
{
	struct door_guest guest;
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	struct wait wait;
	int err;

	if (call_blocks(fd) && !call->may_block)
		return -EAGAIN;
	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
	do {
		waits_begin(&wait, &call->target, 0);
		err = accept_plain(fd, &guest);
		err = waits_end(&wait, err, tv.tv_sec || tv.tv_usec);
	} while (err == 1);
	if (err)
		return err;
	/* Another thread may have bound it to such a port meanwhile. */
	err = is_covered(call, fd) ? 1 : hand_over(call, &guest, flags);
	if (err != 1)
		return err;
	close(guest.fd);
	return -EMFILE;
}

static const char stranger[] =
	"accept refused: a listener without NST from another process";

/**
 * accepts_make() - accept() or accept4()
 * @call: it
 * @fd: the copy of the socket
 *
 * Return: 0, or a negative errno.
 */
int accepts_make(struct call *call, int fd)
{
	int flags = flags_of(call), covered = is_covered(call, fd), domain;

	if (covered && !call_has_nst(fd))
		return call_refuse(call, stranger);
	if (!call->policy->secret ||
	    (call_protocol(fd, &domain) < 0 && target_alone(&call->target))) {
		call->go_on = 1;
		return 0;
	}
	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	return covered ? accept_guest(call, fd, flags) :
		accept_elsewhere(call, fd, flags);
}
