/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints. None shows a key or a byte of payload. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nst

#if !defined(_NST_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _NST_TRACE_H

#include <linux/tracepoint.h>

struct sk_buff;
struct sock;

DECLARE_EVENT_CLASS(nst_record,
	TP_PROTO(const struct sock *sk, u8 type, u16 len, u64 nonce, u16 kid,
		 u16 epoch),
	TP_ARGS(sk, type, len, nonce, kid, epoch),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(u64, nonce)
		__field(u16, len)
		__field(u16, kid)
		__field(u16, epoch)
		__field(u8, type)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->nonce = nonce;
		__entry->len = len;
		__entry->kid = kid;
		__entry->epoch = epoch;
		__entry->type = type;
	),
	TP_printk("sk=%p type=%u len=%u nonce=%llx kid=%u epoch=%04x",
		  __entry->sk, __entry->type, __entry->len, __entry->nonce,
		  __entry->kid, __entry->epoch)
);

DEFINE_EVENT(nst_record, nst_record_out,
	TP_PROTO(const struct sock *sk, u8 type, u16 len, u64 nonce, u16 kid,
		 u16 epoch),
	TP_ARGS(sk, type, len, nonce, kid, epoch)
);

DEFINE_EVENT(nst_record, nst_record_in,
	TP_PROTO(const struct sock *sk, u8 type, u16 len, u64 nonce, u16 kid,
		 u16 epoch),
	TP_ARGS(sk, type, len, nonce, kid, epoch)
);

TRACE_EVENT(nst_epoch,
	TP_PROTO(const struct sock *sk, bool tx, u8 suite, u16 kid, u16 epoch,
		 bool bound),
	TP_ARGS(sk, tx, suite, kid, epoch, bound),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(u16, kid)
		__field(u16, epoch)
		__field(u8, suite)
		__field(bool, tx)
		__field(bool, bound)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->kid = kid;
		__entry->epoch = epoch;
		__entry->suite = suite;
		__entry->tx = tx;
		__entry->bound = bound;
	),
	TP_printk("sk=%p %s suite=%u kid=%u epoch=%04x %s",
		  __entry->sk, __entry->tx ? "tx" : "rx", __entry->suite,
		  __entry->kid, __entry->epoch,
		  __entry->bound ? "bound" : "unbound")
);

TRACE_EVENT(nst_drop,
	TP_PROTO(const struct sock *sk, unsigned int cause, int err),
	TP_ARGS(sk, cause, err),
	TP_STRUCT__entry(
		__field(const void *, sk)
		__field(unsigned int, cause)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->sk = sk;
		__entry->cause = cause;
		__entry->err = err;
	),
	TP_printk("sk=%p cause=%u err=%d", __entry->sk, __entry->cause,
		  __entry->err)
);

TRACE_EVENT(nst_guard,
	TP_PROTO(const struct sk_buff *skb, bool out, u8 protocol, u16 port,
		 bool dry_run, unsigned int cause),
	TP_ARGS(skb, out, protocol, port, dry_run, cause),
	TP_STRUCT__entry(
		__field(const void *, skb)
		__field(unsigned int, cause)
		__field(u16, port)
		__field(u8, protocol)
		__field(bool, out)
		__field(bool, dry_run)
	),
	TP_fast_assign(
		__entry->skb = skb;
		__entry->cause = cause;
		__entry->port = port;
		__entry->protocol = protocol;
		__entry->out = out;
		__entry->dry_run = dry_run;
	),
	TP_printk("skb=%p %s protocol=%u port=%u cause=%u%s", __entry->skb,
		  __entry->out ? "out" : "in", __entry->protocol,
		  __entry->port, __entry->cause,
		  __entry->dry_run ? " dry-run" : "")
);

#endif /* _NST_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
