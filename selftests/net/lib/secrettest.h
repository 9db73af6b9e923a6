/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of nst-run --forward-secret share. Behind kselftest_harness.h it
 * brings their fixture, too.
 */
#ifndef SECRETTEST_H
#define SECRETTEST_H

#include <nst/nst.h>

#include "nsttest.h"
#include "undertest.h"

#define LONG		(nsttest_patience(40) * 1000)

extern const struct nst_opts secret_strict;

const char *secret_error(long ret);	/* of a call: "0", "EPROTO" */
const char *secret_keys(int fd);	/* "own", "box" or "none" */
int secret_state(int fd);		/* TCP_ESTABLISHED, ... */
int secret_plain(int port, int flags);	/* connects without NST */
int secret_dial(void);			/* with it, strict */
int secret_accept(int listener);
int secret_ended(int fd);		/* has the connection, however? waits */

/* A peer as it should be: says a word, and is answered. 0 or -1 */
int secret_peer(const char *word);

/* A program's part in that: 1 if the word was "end" */
int secret_serve(int conn);

/* "begun PID" */
pid_t secret_begun(const char *line);

#ifdef FIXTURE
#define OPTIONS		"--forward-secret --tcp 7100-7109"

FIXTURE(secret) {
	struct under under;
	char said[8192], line[256];
	int listener, words[2];
	pid_t program;
};

FIXTURE_SETUP(secret)
{
	ASSERT_EQ(0, under_box());
	self->listener = -1;
	ASSERT_EQ(0, pipe2(self->words, O_CLOEXEC));
	dup2(self->words[0], STDIN_FILENO);
}

FIXTURE_TEARDOWN(secret)
{
	close(self->listener);
	close(self->words[0]);
	close(self->words[1]);
}

#define END()		under_end(&self->under, self->said, sizeof(self->said))
#define START(role)	ASSERT_EQ(0, under_start(&self->under, 0, OPTIONS, role))
#define LINE()		ASSERT_EQ(0, under_line(&self->under, self->line, \
						sizeof(self->line)))
#define BEGUN()		do {						\
	LINE();								\
	self->program = secret_begun(self->line);				\
	ASSERT_LT(0, self->program);					\
} while (0)
#define LINE_IS(s)	do { LINE(); EXPECT_STREQ(s, self->line); } while (0)
#endif

#endif /* SECRETTEST_H */
