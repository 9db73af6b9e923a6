/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of a namespace: one for each cause, and a few of traffic. */
#ifndef _NST_STATS_H
#define _NST_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>
#include "drop.h"

/* X(symbol, name in /proc/net/nst_stat), behind the causes of drop.h. */
#define NST_MIB_LIST(X)							\
	X(TX_RECORDS,	"NstTxRecords")		/* records sealed */	\
	X(TX_BYTES,	"NstTxBytes")		/* plaintext in them */	\
	X(TX_EPOCHS,	"NstTxEpochs")		/* epochs begun */	\
	X(TX_STREAMS,	"NstTxStreams")		/* STARTs sent */	\
	X(RX_RECORDS,	"NstRxRecords")		/* records accepted */	\
	X(RX_BYTES,	"NstRxBytes")		/* plaintext in them */	\
	X(RX_EPOCHS,	"NstRxEpochs")		/* epochs accepted */	\
	X(RX_STREAMS,	"NstRxStreams")		/* STARTs accepted */	\
	X(RX_COPIED,	"NstRxCopied")		/* records gathered first */ \
	X(RX_STALLED,	"NstRxStalled")		/* waits for memory to open */ \
	X(TX_DEFERRED,	"NstTxDeferred")	/* records TCP took in parts */ \
	X(SOCKETS,	"NstSockets")		/* sockets attached now */ \
	X(LINGERING,	"NstLingering")		/* of these, closed ones */ \
	X(TCP_BARE,	"NstTcpBare")		/* children reset for memory */ \
	X(UDP_SESSIONS,	"NstUdpSessions")	/* sessions known now */ \
	X(UDP_PUSHED,	"NstUdpPushed")	/* for want of room */	\
	X(TCP_PUSHED,	"NstTcpPushed")		/* STARTs, likewise */\
	X(UDP_DERIVED,	"NstUdpDerived")	/* keys derived for one */ \
	X(UDP_WAITED,	"NstUdpWaited")		/* datagrams that waited */ \
	/* The guard: what became of a packet, and why. */		\
	X(GUARD_IN,	"NstGuardInDropped")				\
	X(GUARD_OUT,	"NstGuardOutDropped")				\
	X(GUARD_DRY,	"NstGuardDryRun")				\
	X(GUARD_PLAIN,	"NstGuardPlain")	/* enum nst_guard_verdict */ \
	X(GUARD_SYN_DATA, "NstGuardSynData")				\
	X(GUARD_HEADER,	"NstGuardHeader")				\
	X(GUARD_KID,	"NstGuardKid")					\
	X(GUARD_TIME,	"NstGuardTime")					\
	X(GUARD_MALFORMED, "NstGuardMalformed")				\
	X(GUARD_FRAGMENT, "NstGuardFragment")

enum nst_mib {
	NST_MIB_DROPS = NST_DROP_MAX - 1,	/* last index of a cause */
#define X(sym, name) NST_MIB_##sym,
	NST_MIB_LIST(X)
#undef X
	NST_MIB_MAX
};

/**
 * struct nst_stats - counters, one set a CPU
 * @mib: indexed by enum nst_drop and enum nst_mib; index 0 is unused. Only
 *	sums over all CPUs mean something: a gauge may sink below 0 on one
 */
struct nst_stats {
	u64 mib[NST_MIB_MAX];
};

static inline void nst_stats_add(struct nst_stats __percpu *stats,
				 unsigned int index, s64 n)
{
	this_cpu_add(stats->mib[index], n);
}

static inline void nst_stats_inc(struct nst_stats __percpu *stats,
				 unsigned int index)
{
	this_cpu_inc(stats->mib[index]);
}

u64 nst_stats_sum(struct nst_stats __percpu *stats, unsigned int index);
const char *nst_stats_name(unsigned int index);
bool nst_stats_is_gauge(unsigned int index);
int nst_drop_errno(enum nst_drop drop);

#endif /* _NST_STATS_H */
