/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the preloaded library share. */
#ifndef NST_RUN_PRELOAD_H
#define NST_RUN_PRELOAD_H

#include <sys/socket.h>
#include "attach.h"

/* A function of libc that the library has one of its own for. */
#define INTERPOSED	__attribute__((visibility("default")))

/* Room for an address; a longer one the kernel refuses. */
struct preload_addr {
	struct sockaddr_storage addr;
	socklen_t len;
};

void preload_ready(void);
const struct policy *preload_policy(void);
const char *preload_path(void);
const char *const *preload_entries(void);
int preload_refuses(void);

int preload_cover(enum attach_call call, int fd, const void *addr,
		  socklen_t len);
int preload_take_addr(struct preload_addr *copy, const void *addr,
		      socklen_t len);
void preload_deaden(int fd);
void preload_handed(int fd);
int preload_on_named_port(int fd);
int preload_lost(const char *path);
int preload_may_exec(int dir, const char *path);

#endif /* NST_RUN_PRELOAD_H */
