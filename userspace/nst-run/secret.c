// SPDX-License-Identifier: GPL-2.0
/* The exchange of ephemeral keys, as another library has it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <nst/exchange.h>
#include "beside.h"
#include "secret.h"

#define CORE	"libnst.so.0"
#define LIBRARY	"libnst-exchange.so.0"

/* Of the library nst-run needs the header to be built, and no more. */
static struct {
	int (*whole)(int fd, const struct nst_exchange_opts *opts, int ms);
	int (*make)(struct nst_exchange **ex, int fd,
		    const struct nst_exchange_opts *opts);
	int (*step)(struct nst_exchange *ex);
	void (*end)(struct nst_exchange *ex);
} lib;

/* The one that was asked for; none is left to the library. */
static uint16_t group;
static struct nst_exchange_opts opts = {
	.size = sizeof(opts), .groups = &group,
};

/* In the directory of nst-run, in that of its libraries, or where ld.so looks. */
static void *open_library(const char *name, const char *up)
{
	const char *path = beside(name);

	if (!path)
		path = beside(up);
	return dlopen(path ? path : name, RTLD_NOW | RTLD_LOCAL);
}

/**
 * secret_load() - have the library ready
 * @only: the group to exchange keys by, and no other; 0: X25519, or what the peer
 *	offers
 * @why: receives why not
 * @size: of @why
 *
 * Return: 0 or -1.
 */
int secret_load(uint16_t only, char *why, size_t size)
{
	void *handle;

	group = only;
	opts.nr_groups = !!only;

	/* So that the other one finds it, wherever it is. */
	handle = open_library(CORE, "../lib/" CORE);
	if (handle)
		handle = open_library(LIBRARY, "../lib/" LIBRARY);
	if (!handle) {
		snprintf(why, size, "%s", dlerror());
		return -1;
	}
	lib.whole = (__typeof__(lib.whole))dlsym(handle, "nst_exchange");
	lib.make = (__typeof__(lib.make))dlsym(handle, "nst_exchange_new");
	lib.step = (__typeof__(lib.step))dlsym(handle, "nst_exchange_step");
	lib.end = (__typeof__(lib.end))dlsym(handle, "nst_exchange_free");
	if (lib.whole && lib.make && lib.step && lib.end)
		return 0;
	snprintf(why, size, "%s is of another release", LIBRARY);
	return -1;
}

/**
 * secret_whole() - the exchange on a connection that stands
 * @fd: it; whatever goes wrong, it is shut down
 *
 * Return: 0 or a negative errno, after SECRET_MS at most.
 */
int secret_whole(int fd)
{
	return lib.whole(fd, &opts, SECRET_MS);
}

/**
 * secret_new() - begin an exchange that goes in steps
 * @ex: receives it
 * @fd: the connection
 *
 * Return: 0 or a negative errno.
 */
int secret_new(struct nst_exchange **ex, int fd)
{
	return lib.make(ex, fd, &opts);
}

/**
 * secret_try() - could there be an exchange?
 * @fd: a socket that was attached for it, not connected; it is of no use any more
 *
 * Return: 0 or a negative errno: -EPROTONOSUPPORT if libcrypto has not the group.
 */
int secret_try(int fd)
{
	struct nst_exchange *ex;
	int err = secret_new(&ex, fd);

	if (!err)
		secret_free(ex);
	return err;
}

/**
 * secret_step() - go on without waiting
 * @ex: the exchange
 *
 * Return: 0 if it is done, POLLIN or POLLOUT to wait for, or a negative errno.
 */
int secret_step(struct nst_exchange *ex)
{
	return lib.step(ex);
}

/**
 * secret_free() - its end; the connection is shut down if it was not done
 * @ex: the exchange, or NULL
 */
void secret_free(struct nst_exchange *ex)
{
	lib.end(ex);
}

/**
 * secret_now() - a clock for limits
 *
 * Return: milliseconds.
 */
long long secret_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/**
 * secret_hint() - what an errno of an exchange means
 * @err: a positive errno
 *
 * Return: a text without end.
 */
const char *secret_hint(int err)
{
	switch (err) {
	case EPROTO:
		return "the peer exchanges no keys: it needs nst-run --forward-secret, too";
	case ETIMEDOUT:
		return "no exchange of keys in time: has the peer --forward-secret, too?";
	case ECONNABORTED:
	case ECONNRESET:
	case EPIPE:
	case ENOTCONN:
		return "the connection ended before keys were exchanged";
	case EKEYREJECTED:
		return "a share that is no key, or a record that came back";
	case EPROTONOSUPPORT:
		return "the ends have no way in common to agree on a key";
	case EINVAL:
		return "the connection is not strict: another program gave it its keys";
	case EBADMSG:
	case ENOKEY:
		return "the ends do not have the same box, or not the same context";
	}
	return "the exchange of keys has failed";
}
