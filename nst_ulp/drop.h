/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a record was refused. One enum serves as the return value of every
 * receive step, as the index of the cause's counter in /proc/net/nst_stat, as
 * the argument of the nst_drop tracepoint and as what tests expect.
 */
#ifndef _NST_DROP_H
#define _NST_DROP_H

/*
 * X(symbol, counter name, errno of a TCP receiver), in the order in which
 * causes are judged (protocol: "If several apply, the first counts"). For a
 * datagram the limit, the window and whether it was taken before are judged
 * together, just before authentication; its sender is told nothing.
 */
#define NST_DROP_LIST(X)						\
	/* Before a record: TCP has bytes, or lacks some, without NST. */ \
	X(FOREIGN,	 "NstRxForeign",	EPROTO)			\
	/* The header by itself. */					\
	X(HDR_MAGIC,	 "NstRxHdrMagic",	EPROTO)			\
	X(HDR_VERSION,	 "NstRxHdrVersion",	EPROTO)			\
	X(HDR_SUITE,	 "NstRxHdrSuite",	EPROTO)			\
	X(HDR_RESERVED,	 "NstRxHdrReserved",	EPROTO)			\
	X(HDR_ROLES,	 "NstRxHdrRoles",	EPROTO)			\
	X(HDR_KPOS,	 "NstRxHdrKpos",	EPROTO)			\
	X(HDR_KVAL,	 "NstRxHdrKval",	EPROTO)			\
	X(HDR_KID,	 "NstRxHdrKid",		EPROTO)			\
	X(HDR_TYPE,	 "NstRxHdrType",	EPROTO)			\
	X(HDR_BODY,	 "NstRxHdrBody",	EPROTO)			\
	X(HDR_START,	 "NstRxHdrStartFlag",	EPROTO)			\
	X(HDR_DGRAM,	 "NstRxHdrDgram",	EPROTO)			\
	/* A datagram as a whole; the socket that it came to. */	\
	X(DGRAM_LEN,	 "NstRxDgramLength",	EPROTO)			\
	X(NO_KEY,	 "NstRxNoKey",		ENOKEY)			\
	/* The record's place in its stream. */				\
	X(START_MISSING, "NstRxStartMissing",	EPROTO)			\
	X(START_REPEATED, "NstRxStartRepeated",	EPROTO)			\
	X(NONCE,	 "NstRxNonce",		EPROTO)			\
	X(AFTER_CLOSE,	 "NstRxAfterClose",	EPROTO)			\
	X(UNBOUND,	 "NstRxUnbound",	EPROTO)			\
	X(EARLY_BOUND,	 "NstRxEarlyBound",	EPROTO)			\
	X(ROLE,		 "NstRxRole",		EKEYREJECTED)		\
	/* What this socket and this host accept. */			\
	X(POLICY_SUITE,	 "NstRxPolicySuite",	EACCES)			\
	X(POLICY_KID,	 "NstRxPolicyKid",	EACCES)			\
	X(NO_SUITE,	 "NstRxNoSuite",	ENOPKG)			\
	X(NO_KID,	 "NstRxNoKid",		ENOKEY)			\
	X(KID_RETIRED,	 "NstRxKidRetired",	EKEYREVOKED)		\
	X(EPOCH_LIMIT,	 "NstRxEpochLimit",	EKEYEXPIRED)		\
	/* Freshness of a START, before authentication. */		\
	X(REFLECTED,	 "NstRxReflected",	EKEYREJECTED)		\
	X(TIME_PAST,	 "NstRxTimePast",	ESTALE)			\
	X(TIME_FUTURE,	 "NstRxTimeFuture",	ESTALE)			\
	X(CACHE_AGE,	 "NstRxCacheAge",	ESTALE)			\
	X(CACHE_FLOOR,	 "NstRxCacheFloor",	ESTALE)			\
	/* A datagram's place in its session. */			\
	X(WINDOW,	 "NstRxWindow",		ESTALE)			\
	X(SESSION_QUEUE, "NstRxSessionQueue",	ENOBUFS)		\
	X(RCVBUF,	 "NstRxRcvBuf",		ENOBUFS)		\
	X(GONE,		 "NstRxGone",		ENOBUFS)		\
	X(SESSION_FULL,	 "NstRxSessionFull",	ENOBUFS)		\
	X(OWNER_FULL,	 "NstRxOwnerFull",	ENOBUFS)		\
	X(TOTAL_FULL,	 "NstRxTotalFull",	ENOBUFS)		\
	/* Authentication, and what is judged only after it. */		\
	X(AUTH,		 "NstRxAuth",		EBADMSG)		\
	X(PADDING,	 "NstRxPadding",	EBADMSG)		\
	X(REPLAYED,	 "NstRxReplayed",	EKEYREJECTED)		\
	/* The end of the stream. */					\
	X(TRUNCATED,	 "NstRxTruncated",	ECONNABORTED)		\
	X(UNREAD,	 "NstRxUnread",		EPIPE)			\
	/* Not the peer's fault: this host ran out of something. */	\
	X(NOMEM,	 "NstRxNoMem",		ENOMEM)

/*
 * Outcome of a receive step: NST_OK, the step is passed, or the cause of a
 * refusal, one line of NST_DROP_LIST. NST_DROP_MAX is the number of values.
 */
enum nst_drop {
	NST_OK = 0,
#define X(sym, name, err) NST_DROP_##sym,
	NST_DROP_LIST(X)
#undef X
	NST_DROP_MAX
};

#endif /* _NST_DROP_H */
