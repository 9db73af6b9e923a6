/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * NST: authenticated encryption for TCP and UDP sockets from a static key box.
 *
 * The wire format is in Documentation/nst.rst; all integers here are in host
 * byte order.
 */
#ifndef _UAPI_LINUX_NST_H
#define _UAPI_LINUX_NST_H

#include <linux/types.h>

/* Level of all socket options and control messages. */
#define SOL_NST			20051

/* Socket options. */
#define NST_TX			1	/* struct nst_crypto_info */
#define NST_RX			2	/* struct nst_crypto_info */
#define NST_REKEY		3	/* struct nst_rekey */
#define NST_RECORD_MAX		4	/* __u32 */
#define NST_INFO		5	/* struct nst_info, get only */
#define NST_TX_RX		6	/* struct nst_crypto_info */

/* Control messages: one __u8, the record type. */
#define NST_SET_RECORD_TYPE	1
#define NST_GET_RECORD_TYPE	2

/* Record types. The application may use 0 and 16..255. */
#define NST_TYPE_DATA		0
#define NST_TYPE_CLOSE		1
#define NST_TYPE_START		2
#define NST_TYPE_APP_MIN	16

/* Suites, as on the wire. */
#define NST_CIPHER_AES_GCM		1
#define NST_CIPHER_AES_CBC		2
#define NST_CIPHER_SM4_GCM		3
#define NST_CIPHER_SM4_CBC		4
#define NST_CIPHER_AES_256_GCM		5
#define NST_CIPHER_AES_256_CBC		6
#define NST_CIPHER_CHACHA20_POLY1305	7

/* nst_crypto_info.version */
#define NST_VERSION		1

/* nst_crypto_info.flags */
#define NST_F_STRICT		1
#define NST_F_INITIATOR		2
#define NST_F_RESPONDER		4

#define NST_KEY_SIZE		32
#define NST_CONTEXT_MAX		32
#define NST_RECORD_MAX_MIN	64
#define NST_RECORD_MAX_MAX	65535

/* The first key of a private box is its active one. */
struct nst_key {
	__u16 kid;		/* 1..65535 */
	__u16 flags;		/* 0 */
	__u32 reserved;		/* 0 */
	__u8  key[NST_KEY_SIZE];
};

struct nst_crypto_info {
	__u8  version;		/* NST_VERSION */
	__u8  cipher_id;	/* NST_CIPHER_*; NST_RX: 0 = any */
	__u16 kid;		/* TX: 0 = the active key; RX: 0 = any key */
	__u32 flags;		/* NST_F_* */
	__u16 nr_keys;		/* 0: the box of the network namespace */
	__u8  context_len;
	__u8  reserved[5];	/* 0 */
	__u8  context[NST_CONTEXT_MAX];
	struct nst_key keys[];
};

struct nst_rekey {
	__u16 kid;		/* 0: the active key of the box */
	__u16 reserved;		/* 0 */
};

/* One direction in struct nst_info. */
struct nst_info_dir {
	__u8  cipher_id;	/* of the current epoch; 0: none yet */
	__u8  keyed;		/* a key is set for this direction */
	__u8  started;		/* the START record went by */
	__u8  closed;		/* the close record went by */
	__u16 kid;		/* of the current epoch */
	__u16 epoch;		/* of the current epoch */
	__u32 epochs;		/* epochs begun */
	__u32 bound;		/* the current epoch is BOUND */
	__u64 records;		/* of the whole stream */
	__u64 bytes;		/* plaintext bytes of the whole stream */
	__u64 epoch_records;	/* of the current epoch */
};

struct nst_info {
	__u32 flags;		/* NST_F_* in force */
	__s32 error;		/* sticky receive error, an errno, or 0 */
	__u32 cause;		/* its cause, index of /proc/net/nst_stat; 0 */
	__u32 record_max;
	struct nst_info_dir tx;
	struct nst_info_dir rx;
};

/* UDP: setsockopt(fd, IPPROTO_IP or IPPROTO_IPV6, NST_ATTACH, &one, 4). */
#define NST_ATTACH		0x4e5301

/*
 * socket(AF_NST, NST_SOCK_STREAM or NST_SOCK_DGRAM, 0 or AF_INET or AF_INET6)
 * makes a TCP or UDP socket that has NST already. The module may have been
 * loaded with another number: /sys/module/nst_ulp/parameters/family.
 */
#define AF_NST			25
#define PF_NST			AF_NST
#define NST_SOCK_STREAM		SOCK_STREAM
#define NST_SOCK_DGRAM		SOCK_DGRAM

#endif /* _UAPI_LINUX_NST_H */
