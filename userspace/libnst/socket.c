// SPDX-License-Identifier: GPL-2.0
/* Attach sockets, and tell what is in force on them. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "opts.h"
#include "socket.h"

/**
 * nst_kind() - what is a socket?
 * @fd: the socket
 * @domain: receives AF_INET, AF_INET6 or another
 *
 * MPTCP is no TCP here: NST cannot be under it.
 *
 * Return: enum nst_kind; -EBADF, -ENOTSOCK.
 */
int nst_kind(int fd, int *domain)
{
	socklen_t len = sizeof(int);
	int protocol;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, domain, &len))
		return -errno;
	len = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len))
		return -errno;
	if (*domain != AF_INET && *domain != AF_INET6)
		return NST_KIND_OTHER;
	if (protocol == IPPROTO_TCP)
		return NST_KIND_TCP;
	return protocol == IPPROTO_UDP ? NST_KIND_UDP : NST_KIND_OTHER;
}

/* Keys for a socket whose attach has said @err. */
static int give_keys(int fd, const struct nst_opts *opts, int err)
{
	int state;

	if (err == -EEXIST) {
		state = nst_is_attached(fd);
		/* Only what has NST and not all keys may be completed. */
		if (state != -ENOKEY)
			return state < 0 ? state : err;
	} else if (err) {
		return err;
	}
	return nst_opts_apply(fd, opts);
}

int nst_tcp(int fd, const struct nst_opts *opts)
{
	struct nst_opts known;
	int domain, kind, err;

	err = nst_opts_read(&known, opts);
	if (err)
		return err;
	kind = nst_kind(fd, &domain);
	if (kind != NST_KIND_TCP)
		return kind < 0 ? kind : -EOPNOTSUPP;
	if (setsockopt(fd, SOL_TCP, TCP_ULP, "nst", 3))
		err = -errno;
	return give_keys(fd, &known, err);
}

int nst_udp(int fd, const struct nst_opts *opts)
{
	struct nst_opts known;
	int domain, kind, err;
	int one = 1;

	err = nst_opts_read(&known, opts);
	if (err)
		return err;
	kind = nst_kind(fd, &domain);
	if (kind != NST_KIND_UDP)
		return kind < 0 ? kind : -EOPNOTSUPP;
	if (setsockopt(fd, domain == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       NST_ATTACH, &one, sizeof(one)))
		err = -errno;
	return give_keys(fd, &known, err);
}

int nst_set_keys(int fd, const struct nst_opts *opts)
{
	struct nst_opts known;
	struct nst_info info;
	int err;

	err = nst_opts_read(&known, opts);
	if (!err)
		err = nst_info(fd, &info);
	return err ? err : nst_opts_apply(fd, &known);
}

int nst_info(int fd, struct nst_info *info)
{
	socklen_t len = sizeof(*info);
	int domain, kind, err;

	memset(info, 0, sizeof(*info));
	if (!getsockopt(fd, SOL_NST, NST_INFO, info, &len))
		return 0;
	err = -errno;
	memset(info, 0, sizeof(*info));
	kind = nst_kind(fd, &domain);
	if (kind < 0)
		return kind;
	/* Protocols, and kernels, have different words for an unknown level. */
	if (kind == NST_KIND_OTHER || err == -EOPNOTSUPP)
		return -ENOPROTOOPT;
	return err;
}

int nst_is_attached(int fd)
{
	struct nst_info info;
	int err = nst_info(fd, &info);

	if (err)
		return err == -ENOPROTOOPT ? 0 : err;
	return info.tx.keyed && info.rx.keyed ? 1 : -ENOKEY;
}

int nst_rekey(int fd, uint16_t kid)
{
	struct nst_rekey rekey = { .kid = kid };
	struct nst_info info;
	int err = nst_info(fd, &info);

	if (!err && setsockopt(fd, SOL_NST, NST_REKEY, &rekey, sizeof(rekey)))
		err = -errno;
	return err;
}
