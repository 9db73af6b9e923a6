/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two network namespaces joined by a veth pair, with offloads, MTU and netem
 * as a test wants them, and what TCP's buffers then looked like.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef VETHTEST_H
#define VETHTEST_H

#include "tcptest.h"

/* Which offloads the devices have: they decide the shape of received skbs. */
enum veth_offload {
	VETH_ALL,	/* as a veth is made: large segments in pages */
	VETH_NO_SG,	/* no scatter-gather: each segment linear */
	VETH_GRO,	/* no TSO, the receiver merges segments' pages */
	VETH_GRO_NO_SG,	/* it merges linear ones: fragment lists */
};

struct veth_conf {
	enum veth_offload offload;
	int mtu;
	const char *netem;	/* words of tc behind "netem"; NULL: none */
};

struct veth {
	int ns[2];		/* descriptors of the namespaces */
};

int veth_open(struct veth *v, const struct veth_conf *conf);
void veth_close(struct veth *v);

/* The caller's thread, and what it creates, moves to that end. */
int veth_enter(const struct veth *v, int end);

/* That of end 1. */
socklen_t veth_address(struct sockaddr_storage *ss, int family, int port);

/*
 * A connection from end 0, @a, to end 1, @b, without NST. @rcvbuf, @sndbuf:
 * of both ends, from before they are connected; 0 for the default.
 */
int veth_connect(const struct veth *v, int family, int rcvbuf, int sndbuf,
		 int *a, int *b);

/* Needs nst_shape.ko. */
int shape_reset(void);

/* The same, and from now on no buffer says that others may write to it. */
int shape_unmark(void);
long shape_get(const char *name);

#endif /* VETHTEST_H */
