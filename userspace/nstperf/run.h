/* SPDX-License-Identifier: GPL-2.0 */
/* A test under way, at one end: its streams, each a thread, and their phase. */
#ifndef NSTPERF_RUN_H
#define NSTPERF_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "conn.h"
#include "hist.h"
#include "test.h"
#include "trouble.h"

enum phase { PHASE_HOLD, PHASE_WARM, PHASE_MEASURE, PHASE_STOP };

struct run;

/**
 * struct stream - one connection after another, or one UDP socket
 * @run: whose
 * @nr: which
 * @thread: that works for it
 * @conn: what it has now
 * @bytes: client: sent, and come back; server: received
 * @ops: calls, messages or datagrams of it
 * @retransmits: of its connections that have ended
 * @reordered: datagrams that came behind a later one
 * @last: when one came last, clock_ns(); the server's, in a test by count
 * @duplicates: that came twice, or so late that it cannot be known
 * @hist: of what was done while it was measured; the client's
 * @failed: and why
 */
struct stream {
	struct run *run;
	unsigned int nr;
	pthread_t thread;
	struct conn conn;
	atomic_ullong bytes;
	atomic_ullong ops;
	atomic_ullong retransmits;
	atomic_ullong reordered;
	atomic_ullong duplicates;
	atomic_ullong last;
	struct hist hist;
	atomic_bool failed;
	char why[TROUBLE_MAX];
};

/**
 * struct run - a test at one end
 * @test: what is measured
 * @peer: the other end; its port is the first stream's
 * @ports: of each stream; only datagrams have more than one
 * @listener: the server's, or -1
 * @sockets: the server's for datagrams
 * @file: what is sent, where the scenario has a file; or -1
 * @file_size: bytes of it
 * @cpu: processor of the first stream, the next one's the next that this program
 *	may use, from the first again behind the last; -1: any
 * @phase: PHASE_*
 * @taken: calls that streams have begun, if count limits them
 * @alive: streams that have not ended
 * @wake: what changes of these
 * @lock: of @wake
 * @streams: test->streams of them
 */
struct run {
	struct test test;
	union address peer;
	unsigned int ports[TEST_STREAMS_MAX];
	int listener;
	int sockets[TEST_STREAMS_MAX];
	int file;
	uint64_t file_size;
	int cpu;
	atomic_int phase;
	atomic_ullong taken;
	atomic_uint alive;
	pthread_cond_t wake;
	pthread_mutex_t lock;
	struct stream *streams;
};

/* NULL after trouble(). */
struct run *run_alloc(const struct test *test);
/* Its streams have been joined, or were never started. */
void run_free(struct run *run);

/* Has this machine, for this program, that processor? 0, or trouble(). */
int run_check_cpu(int cpu);

/* A thread for each stream, which holds until the phase allows it to go on. */
int run_start(struct run *run, int (*work)(struct stream *stream));
void run_join(struct run *run);
void run_phase(struct run *run, enum phase phase);
/* Waits until all streams have ended, or @ms are over: true if they have. */
bool run_ended(struct run *run, unsigned int ms);
/* Ends what its streams do; they fail. */
void run_abort(struct run *run);

/* For streams. */
void run_hold(struct run *run);
/* May it do another call? */
bool run_more(struct run *run);
static inline bool run_measures(struct run *run)
{
	return atomic_load_explicit(&run->phase, memory_order_relaxed) ==
		PHASE_MEASURE;
}

static inline bool run_stopped(struct run *run)
{
	return atomic_load_explicit(&run->phase, memory_order_relaxed) ==
		PHASE_STOP;
}

/* Why a stream has failed, or NULL; and sums over all. */
const char *run_why(const struct run *run);
unsigned long long run_sum(const struct run *run, size_t member);
#define RUN_SUM(run, member) run_sum(run, offsetof(struct stream, member))

#endif /* NSTPERF_RUN_H */
