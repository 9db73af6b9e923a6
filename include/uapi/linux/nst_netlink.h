/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "nst": the key box of a network namespace, its guard
 * and counters, the suites of this kernel, and events.
 *
 * Documentation/netlink/specs/nst.yaml describes the same for programs.
 */
#ifndef _UAPI_LINUX_NST_NETLINK_H
#define _UAPI_LINUX_NST_NETLINK_H

#define NST_GENL_NAME		"nst"
#define NST_GENL_VERSION	1
#define NST_GENL_MCGRP_EVENTS	"events"

/* Bytes of a key's fingerprint: of SHA-256("nst-fp" || key) the first ones. */
#define NST_FINGERPRINT_LEN	8

/* Most keys of one box. */
#define NST_BOX_MAX		1024

/* Most rules of the guard. */
#define NST_GUARD_MAX		256

/* What a key may be used for. */
enum nst_state {
	NST_STATE_ACCEPT,	/* receive only */
	NST_STATE_ACTIVE,	/* senders use it; one of a box */
	NST_STATE_RETIRED,	/* refused */
};

enum nst_event {
	NST_EVENT_BOX_LOADED,	/* a whole box was put in place */
	NST_EVENT_BOX_FLUSHED,	/* all keys were removed */
	NST_EVENT_KEY_ADDED,
	NST_EVENT_KEY_ACTIVATED,
	NST_EVENT_KEY_RETIRED,
	NST_EVENT_KEY_DELETED,
	NST_EVENT_LIMIT,	/* an epoch used up its records or bytes */
	NST_EVENT_AUTH,		/* a record failed authentication */
	NST_EVENT_REPLAY,	/* a START came again or was reflected */
	NST_EVENT_CLOCK,	/* a START was not fresh; see the skew */
	NST_EVENT_GUARD,	/* the guard dropped a packet, or would have */
};

enum nst_direction {
	NST_DIRECTION_IN,
	NST_DIRECTION_OUT,
};

enum nst_cmd {
	NST_CMD_KEY_GET = 1,	/* one by kid, or dump all; never secrets */
	NST_CMD_KEY_ADD,
	NST_CMD_KEY_ACTIVATE,
	NST_CMD_KEY_RETIRE,
	NST_CMD_KEY_DEL,
	NST_CMD_BOX_LOAD,	/* replace the box, atomically */
	NST_CMD_BOX_FLUSH,
	NST_CMD_CAPS_GET,	/* dump the suites */
	NST_CMD_STATS_GET,
	NST_CMD_INFO_GET,
	NST_CMD_EVENT,		/* sent to the multicast group */
	NST_CMD_GUARD_GET,	/* one rule by protocol and port, or dump all */
	NST_CMD_GUARD_ADD,	/* or change whether it is a dry run */
	NST_CMD_GUARD_DEL,
	NST_CMD_GUARD_LOAD,	/* replace all rules, atomically */
	NST_CMD_GUARD_FLUSH,
	NST_CMD_SOCKET_GET,	/* dump the UDP sockets that have NST */
	NST_CMD_OWNER_GET,	/* dump who holds how much of the namespace's memory */

	__NST_CMD_MAX,
	NST_CMD_MAX = __NST_CMD_MAX - 1
};

/* A key. */
enum nst_a_key {
	NST_A_KEY_PAD = 1,
	NST_A_KEY_KID,		/* u16, 1..65535 */
	NST_A_KEY_STATE,	/* u32, enum nst_state */
	NST_A_KEY_SECRET,	/* 32 bytes, only ever to the kernel */
	NST_A_KEY_FINGERPRINT,	/* NST_FINGERPRINT_LEN bytes */
	NST_A_KEY_TX_STREAMS,	/* u32, live streams that send under it */
	NST_A_KEY_RX_STREAMS,	/* u32, live streams that receive under it */
	NST_A_KEY_FLOOR,	/* u64, STARTs up to this time, ns, are refused */
	NST_A_KEY_SESSION_FLOOR, /* u64, and datagrams that have no session */
	NST_A_KEY_SESSIONS,	/* u32, UDP sessions remembered of its secret */

	__NST_A_KEY_MAX,
	NST_A_KEY_MAX = __NST_A_KEY_MAX - 1
};

/* A box. */
enum nst_a_box {
	NST_A_BOX_KEY = 1,	/* nest of enum nst_a_key, once a key */

	__NST_A_BOX_MAX,
	NST_A_BOX_MAX = __NST_A_BOX_MAX - 1
};

/* A suite. */
enum nst_a_caps {
	NST_A_CAPS_SUITE = 1,	/* u32, as on the wire */
	NST_A_CAPS_NAME,	/* string */
	NST_A_CAPS_AEAD,	/* string, the driver; absent with an error */
	NST_A_CAPS_HMAC,	/* string, the driver; absent with an error */
	NST_A_CAPS_ERROR,	/* u32, why it is not available: an errno */
	NST_A_CAPS_STREAMS_ONLY, /* flag, datagrams of it cannot be opened */

	__NST_A_CAPS_MAX,
	NST_A_CAPS_MAX = __NST_A_CAPS_MAX - 1
};

/* The counters. */
enum nst_a_stats {
	NST_A_STATS_COUNTER = 1,	/* nest of enum nst_a_counter, each */

	__NST_A_STATS_MAX,
	NST_A_STATS_MAX = __NST_A_STATS_MAX - 1
};

enum nst_a_counter {
	NST_A_COUNTER_PAD = 1,
	NST_A_COUNTER_NAME,	/* string, as in /proc/net/nst_stat */
	NST_A_COUNTER_VALUE,	/* u64 */
	NST_A_COUNTER_GAUGE,	/* flag, it may fall: what there is now */

	__NST_A_COUNTER_MAX,
	NST_A_COUNTER_MAX = __NST_A_COUNTER_MAX - 1
};

/* The module and the namespace. */
enum nst_a_info {
	NST_A_INFO_PAD = 1,
	NST_A_INFO_PROTOCOL,	/* u32, version of the record protocol */
	NST_A_INFO_RELEASE,	/* string, version of the module */
	NST_A_INFO_KEYS,	/* u32, keys in the box */
	NST_A_INFO_ACTIVE,	/* u16, kid of the active key; 0: none */
	NST_A_INFO_GENERATION,	/* u64, grows with each change of the box */

	__NST_A_INFO_MAX,
	NST_A_INFO_MAX = __NST_A_INFO_MAX - 1
};

/* An event. */
enum nst_a_event {
	NST_A_EVENT_PAD = 1,
	NST_A_EVENT_TYPE,	/* u32, enum nst_event */
	NST_A_EVENT_KID,	/* u16, absent in events of the whole box */
	NST_A_EVENT_CAUSE,	/* string, the counter that went up */
	NST_A_EVENT_SKEW,	/* s64, ns: the peer's clock minus this one's */
	NST_A_EVENT_MISSED,	/* u32, events of this type left out before */
	NST_A_EVENT_DIRECTION,	/* u32, enum nst_direction; of the guard */
	NST_A_EVENT_PROTOCOL,	/* u32, as NST_A_RULE_PROTOCOL, if known */
	NST_A_EVENT_PORT,	/* u16, as NST_A_RULE_PORT, if known */
	NST_A_EVENT_DRY_RUN,	/* flag, the packet was let through */

	__NST_A_EVENT_MAX,
	NST_A_EVENT_MAX = __NST_A_EVENT_MAX - 1
};

/* A rule of the guard. */
enum nst_a_rule {
	NST_A_RULE_PROTOCOL = 1,	/* u32, IPPROTO_TCP or IPPROTO_UDP */
	NST_A_RULE_PORT,	/* u16, local port, 1..65535 */
	NST_A_RULE_DRY_RUN,	/* flag, count but do not drop */
	NST_A_RULE_IN,		/* nest of enum nst_a_packets, arriving */
	NST_A_RULE_OUT,		/* nest of enum nst_a_packets, leaving */

	__NST_A_RULE_MAX,
	NST_A_RULE_MAX = __NST_A_RULE_MAX - 1
};

/* The rules of the guard. */
enum nst_a_rules {
	NST_A_RULES_RULE = 1,	/* nest of enum nst_a_rule, once a rule */

	__NST_A_RULES_MAX,
	NST_A_RULES_MAX = __NST_A_RULES_MAX - 1
};

/* What a rule has seen: u64, packets with payload. */
enum nst_a_packets {
	NST_A_PACKETS_PAD = 1,
	NST_A_PACKETS_PASSED,
	NST_A_PACKETS_PLAIN,	/* the socket has no NST keys */
	NST_A_PACKETS_SYN_DATA,	/* TCP Fast Open */
	NST_A_PACKETS_HEADER,	/* a datagram that is no record */
	NST_A_PACKETS_KID,	/* not in the box, or retired */
	NST_A_PACKETS_TIME,	/* outside the window */
	NST_A_PACKETS_MALFORMED,	/* cut off, or not what it says */

	__NST_A_PACKETS_MAX,
	NST_A_PACKETS_MAX = __NST_A_PACKETS_MAX - 1
};

/* A UDP socket that has NST. */
enum nst_a_socket {
	NST_A_SOCKET_PAD = 1,
	NST_A_SOCKET_PROTOCOL,	/* u32, IPPROTO_UDP */
	NST_A_SOCKET_FAMILY,	/* u32, AF_INET or AF_INET6 */
	NST_A_SOCKET_LOCAL,	/* address, 4 or 16 bytes */
	NST_A_SOCKET_LOCAL_PORT,	/* u16; 0: not bound */
	NST_A_SOCKET_REMOTE,	/* address; absent: not connected */
	NST_A_SOCKET_REMOTE_PORT,	/* u16; absent: not connected */
	NST_A_SOCKET_IFINDEX,	/* u32; absent: not bound to a device */
	NST_A_SOCKET_UID,	/* u32, owner */
	NST_A_SOCKET_COOKIE,	/* u64, as sock_diag tells it */
	/* The rest is for CAP_NET_ADMIN and the owner, absent for others. */
	NST_A_SOCKET_BROKEN,	/* u8, 1: something was changed behind NST, EIO */
	NST_A_SOCKET_TX,	/* nest of enum nst_a_dir; absent: no key */
	NST_A_SOCKET_RX,	/* nest of enum nst_a_dir; absent: no key */
	NST_A_SOCKET_DROP,	/* nest of enum nst_a_counter, each cause */

	__NST_A_SOCKET_MAX,
	NST_A_SOCKET_MAX = __NST_A_SOCKET_MAX - 1
};

/* What a socket has for one direction. */
enum nst_a_dir {
	NST_A_DIR_PAD = 1,
	NST_A_DIR_SUITE,	/* u32, of the epoch, else as set; 0: any */
	NST_A_DIR_KID,	/* u16, of the epoch, else as set; 0: any, or active */
	NST_A_DIR_RECORDS,	/* u64 */
	NST_A_DIR_BYTES,	/* u64, plaintext */

	__NST_A_DIR_MAX,
	NST_A_DIR_MAX = __NST_A_DIR_MAX - 1
};

/* Who is charged for what secrets were used for. CAP_NET_ADMIN is told all. */
enum nst_a_owner {
	NST_A_OWNER_PAD = 1,
	NST_A_OWNER_UID,	/* u32; absent: the namespace, for its box */
	NST_A_OWNER_BYTES,	/* u64, held */
	NST_A_OWNER_LIMIT,	/* u64, that an owner may hold */
	NST_A_OWNER_SESSIONS,	/* u32, of UDP */
	NST_A_OWNER_STARTS,	/* u32, of TCP */
	NST_A_OWNER_FLOORS,	/* u32, of secrets that were given up, kept */

	__NST_A_OWNER_MAX,
	NST_A_OWNER_MAX = __NST_A_OWNER_MAX - 1
};

#endif /* _UAPI_LINUX_NST_NETLINK_H */
