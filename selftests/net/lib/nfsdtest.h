/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests share that give a socket to the kernel's NFS server.
 *
 * Functions return 0 or -errno unless they say otherwise.
 */
#ifndef NFSDTEST_H
#define NFSDTEST_H

#include "tcptest.h"

struct nfsdtest {
	pid_t rpcbind;	/* whom the server tells of its port */
};

int nfsdtest_open(struct nfsdtest *nfsd);
void nfsdtest_close(struct nfsdtest *nfsd);

/* Gives it @fd, and a thread. */
int nfsdtest_give(int fd);

/* It leaves what it was given. */
void nfsdtest_stop(void);

/* A listening socket on the loopback address, or -1. */
int nfsdtest_listen(int port, struct sockaddr_in *sin);

/* One message of RPC, in one fragment. Its bytes or -1. */
ssize_t nfsdtest_message(int fd, void *buf, size_t size);

#endif /* NFSDTEST_H */
