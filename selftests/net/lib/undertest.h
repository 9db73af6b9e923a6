/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of nst-run share: the program that runs under it is the test
 * itself in another role, so it is static and can be asked for any call. Around
 * it are peers that have NST or have not, and look for plaintext.
 */
#ifndef UNDERTEST_H
#define UNDERTEST_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/types.h>

/* What the program sends and nobody may see on a port that is covered. */
#define UNDER_MARK	"in plain words, for everybody to read"

#define UNDER_COVERED	7100
#define UNDER_OTHER	7200

/* A role: its exit status. */
struct under_role {
	const char *name;	/* begins with '@' */
	int (*play)(int argc, char **argv);
};

/* Plays a role and ends, if argv[1] names one. */
void under_play(const struct under_role *roles, int argc, char **argv);

#define UNDER_ROLES(...)						\
static const struct under_role under_roles[] = { __VA_ARGS__, { 0 } };	\
static void __attribute__((constructor(101)))				\
under_first(int argc, char **argv)					\
{									\
	under_play(under_roles, argc, argv);				\
}

/* A run of nst-run; @out: what the program and nst-run said. */
struct under {
	pid_t pid;
	int out;
};

/* A box in the namespace's place for keys: once for each test. 0 or -1 */
int under_box(void);

/*
 * Starts nst-run with @options, words parted by spaces, and the role. NULL for
 * @options: the role without nst-run. @uid: who runs it.
 */
int under_start(struct under *under, uid_t uid, const char *options,
		const char *role);

/* All that was said until the end, cut to @size; returns waitpid()'s status. */
int under_end(struct under *under, char *said, size_t size);

/* Start to end; the exit status, or 128 and the signal. */
int under_run(const char *options, const char *role, char *said, size_t size);

/* The next line, without its end; 0 or -1. */
int under_line(struct under *under, char *line, size_t size);

/*
 * Who is whose: nst-run's child is its supervisor, and the supervisor's child is
 * the program. -1: nobody
 */
pid_t under_parent(pid_t pid);
pid_t under_child(pid_t pid);

struct sockaddr_in under_addr(int port);
int under_listen(int port, int nst);
int under_udp(int port, int nst);
int under_nst(int fd, int udp);		/* attach and keys from the box */
int under_keyed(int fd);		/* 1: NST and keys for both directions */

/* A plain connection to @port of this host; -1: errno says why not. */
int under_dial(int port);

/* What a call has returned, by name: "0", or errno's. */
const char *under_error(long ret);

/*
 * An address at which nobody answers, and nobody says that nobody does: a device for
 * it; a connect() to it, with SO_SNDTIMEO if @timeout (seconds) is not 0; and until
 * "ss" sees one that is begun, or with @none none any more. 0 or -1, as system() does,
 * as connect() does
 */
int under_dummy(void);
int under_dial_silence(int timeout);
int under_dialing(int none);

/* All that comes until the end or @ms of silence: is UNDER_MARK in it? */
int under_plain(int fd, int ms, size_t *got);

#endif /* UNDERTEST_H */
