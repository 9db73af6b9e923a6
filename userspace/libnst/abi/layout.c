// SPDX-License-Identifier: GPL-2.0
/*
 * What programs have compiled into them: it may not change without another
 * version of a function (libnst.map) or, for what the kernel takes, at all.
 * selftests/unit/libnst_abi.sh compiles this; symbols and macros stand beside it.
 */
#include <assert.h>

#include <nst/nst.h>

#define SIZE(type, size)						\
	static_assert(sizeof(type) == (size), #type " has another size")
#define AT(type, member, off, size)					\
	static_assert(offsetof(type, member) == (off) &&		\
		       sizeof(((type *)0)->member) == (size),		\
		       #type "." #member " is elsewhere")

/* The kernel's are the same everywhere. */
SIZE(struct nst_key, 40);
AT(struct nst_key, kid, 0, 2);
AT(struct nst_key, flags, 2, 2);
AT(struct nst_key, reserved, 4, 4);
AT(struct nst_key, key, 8, 32);

SIZE(struct nst_crypto_info, 48);
AT(struct nst_crypto_info, version, 0, 1);
AT(struct nst_crypto_info, cipher_id, 1, 1);
AT(struct nst_crypto_info, kid, 2, 2);
AT(struct nst_crypto_info, flags, 4, 4);
AT(struct nst_crypto_info, nr_keys, 8, 2);
AT(struct nst_crypto_info, context_len, 10, 1);
AT(struct nst_crypto_info, reserved, 11, 5);
AT(struct nst_crypto_info, context, 16, 32);

SIZE(struct nst_rekey, 4);
AT(struct nst_rekey, kid, 0, 2);
AT(struct nst_rekey, reserved, 2, 2);

SIZE(struct nst_info_dir, 40);
AT(struct nst_info_dir, cipher_id, 0, 1);
AT(struct nst_info_dir, keyed, 1, 1);
AT(struct nst_info_dir, started, 2, 1);
AT(struct nst_info_dir, closed, 3, 1);
AT(struct nst_info_dir, kid, 4, 2);
AT(struct nst_info_dir, epoch, 6, 2);
AT(struct nst_info_dir, epochs, 8, 4);
AT(struct nst_info_dir, bound, 12, 4);
AT(struct nst_info_dir, records, 16, 8);
AT(struct nst_info_dir, bytes, 24, 8);
AT(struct nst_info_dir, epoch_records, 32, 8);

SIZE(struct nst_info, 96);
AT(struct nst_info, flags, 0, 4);
AT(struct nst_info, error, 4, 4);
AT(struct nst_info, cause, 8, 4);
AT(struct nst_info, record_max, 12, 4);
AT(struct nst_info, tx, 16, 40);
AT(struct nst_info, rx, 56, 40);

/* Members may come behind the last. */
#if __SIZEOF_POINTER__ == 8
SIZE(struct nst_opts, 48);
AT(struct nst_opts, size, 0, 8);
AT(struct nst_opts, cipher, 8, 1);
AT(struct nst_opts, reserved, 9, 1);
AT(struct nst_opts, kid, 10, 2);
AT(struct nst_opts, flags, 12, 4);
AT(struct nst_opts, context, 16, 8);
AT(struct nst_opts, context_len, 24, 8);
AT(struct nst_opts, keys, 32, 8);
AT(struct nst_opts, nr_keys, 40, 8);
#endif

/* Arguments and results. */
int (*const abi_tcp)(int, const struct nst_opts *) = nst_tcp;
int (*const abi_udp)(int, const struct nst_opts *) = nst_udp;
int (*const abi_set_keys)(int, const struct nst_opts *) = nst_set_keys;
int (*const abi_is_attached)(int) = nst_is_attached;
int (*const abi_info)(int, struct nst_info *) = nst_info;
int (*const abi_rekey)(int, uint16_t) = nst_rekey;
ssize_t (*const abi_send)(int, uint8_t, const void *, size_t, int) =
	nst_send_record;
ssize_t (*const abi_recv)(int, uint8_t *, void *, size_t, int) =
	nst_recv_record;
const char *(*const abi_cause_name)(unsigned int) = nst_cause_name;
const char *(*const abi_strerror)(int) = nst_strerror;
