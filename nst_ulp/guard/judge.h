/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guard's judgement of one packet: where its transport header is, and
 * whether what is behind it is NST's. Nothing here knows of rules.
 */
#ifndef _NST_GUARD_JUDGE_H
#define _NST_GUARD_JUDGE_H

#include <linux/types.h>

struct net;
struct sk_buff;

/**
 * enum nst_guard_verdict - what the guard makes of a packet
 * @NST_GUARD_SEALED: it carries what is NST's
 * @NST_GUARD_PLAIN: a segment with payload, and no socket with NST keys for it
 * @NST_GUARD_SYN_DATA: a SYN with payload
 * @NST_GUARD_HEADER: a datagram that is no record, or not exactly one
 * @NST_GUARD_KID: a datagram whose kid the box does not have, or has retired
 * @NST_GUARD_TIME: a datagram whose timestamp is outside the window
 * @NST_GUARD_MALFORMED: a header is cut off or contradicts the packet
 * @NST_GUARD_FRAGMENT: a fragment, whose ports are elsewhere
 * @NST_GUARD_NR_COUNTED: values before it are counted
 * @NST_GUARD_EMPTY: a segment without payload
 * @NST_GUARD_OTHER: neither TCP nor UDP
 *
 * From _PLAIN to _FRAGMENT in the order of NST_MIB_GUARD_*.
 */
enum nst_guard_verdict {
	NST_GUARD_SEALED,
	NST_GUARD_PLAIN,
	NST_GUARD_SYN_DATA,
	NST_GUARD_HEADER,
	NST_GUARD_KID,
	NST_GUARD_TIME,
	NST_GUARD_MALFORMED,
	NST_GUARD_FRAGMENT,
	NST_GUARD_NR_COUNTED,
	NST_GUARD_EMPTY = NST_GUARD_NR_COUNTED,
	NST_GUARD_OTHER,
};

/**
 * struct nst_guard_packet - a packet at LOCAL_IN or LOCAL_OUT
 * @net: where
 * @skb: its data begins with the network header
 * @ipv6: of which IP
 * @out: it leaves
 * @proto: IPPROTO_TCP or IPPROTO_UDP, as soon as that is known, else 0
 * @at: offset of the transport header in the data, once @proto is known
 * @source: its source port, network order
 * @dest: its destination port
 */
struct nst_guard_packet {
	struct net *net;
	struct sk_buff *skb;
	bool ipv6;
	bool out;
	u8 proto;
	unsigned int at;
	__be16 source;
	__be16 dest;
};

enum nst_guard_verdict nst_guard_find(struct nst_guard_packet *p);
enum nst_guard_verdict nst_guard_judge(const struct nst_guard_packet *p);

#endif /* _NST_GUARD_JUDGE_H */
