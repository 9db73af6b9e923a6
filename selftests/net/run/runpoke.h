/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that knows nothing of NST, in parts. Each scenario moves MARK over
 * PORT between two sockets of its own making, and returns 0 if that came through.
 */
#ifndef RUNPOKE_H
#define RUNPOKE_H

#include <sys/socket.h>

#define PORT	7101
#define MARK	"a marker that nobody may read 0123456789"

/* Says which line it was, and ends the process. */
#define NEED(what)							\
	do {								\
		if (!(what))						\
			runpoke_die(__FILE__, __LINE__, #what);		\
	} while (0)

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct scenario {
	const char *name;
	int (*run)(char **args);
};

extern const struct scenario stream_scenarios[];
extern const struct scenario datagram_scenarios[];
extern const struct scenario child_scenarios[];
extern const struct scenario handed_scenarios[];
extern const struct scenario ring_scenarios[];
extern const struct scenario inside_scenarios[];

__attribute__((noreturn))
void runpoke_die(const char *file, int line, const char *what);
void address_of(struct address *addr, int family, int port);
int listener(int family, int port);
int dial(int family, int port);
int exchange(int a, int b);
int serve(int fd);
int talk(int fd);
int pair_of(int lfd, int cfd);

#endif /* RUNPOKE_H */
