/* SPDX-License-Identifier: GPL-2.0 */
/* Host shim: the kernel's names for integers, and annotations that vanish. */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include <asm/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
/* Kernel code prints u64 with %llu on every architecture. */
typedef unsigned long long u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef long long s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;
typedef __u16 __sum16;
typedef __u32 __wsum;
typedef unsigned int gfp_t;
typedef s64 ktime_t;
typedef s64 time64_t;

#define __percpu
#define __rcu
#define __user
#define __force
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define __maybe_unused		__attribute__((unused))
#define __must_check		__attribute__((warn_unused_result))
#define __aligned(n)		__attribute__((aligned(n)))
#define __packed		__attribute__((packed))
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#define __cold
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __randomize_layout
#define noinline		__attribute__((noinline))
#ifndef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#endif
#define fallthrough		__attribute__((fallthrough))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct list_head {
	struct list_head *next, *prev;
};

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};

#define rcu_head callback_head

#endif /* _SHIM_LINUX_TYPES_H */
