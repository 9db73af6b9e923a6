// SPDX-License-Identifier: GPL-2.0
/* Values of socket options, the same for streams and datagrams. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include "optval.h"

static_assert(sizeof(struct nst_rekey) == 4);

/**
 * nst_opt_get() - a value of fixed length that a program sets
 * @value: receives it
 * @size: its bytes
 * @optval: what the program gave
 * @len: bytes of that
 *
 * Context: process.
 * Return: 0; -EINVAL if it is of another length; -EFAULT.
 */
int nst_opt_get(void *value, unsigned int size, sockptr_t optval,
		unsigned int len)
{
	if (len != size)
		return -EINVAL;
	return copy_from_sockptr(value, optval, size) ? -EFAULT : 0;
}

/**
 * nst_opt_get_rekey() - the value of NST_REKEY
 * @rekey: receives it
 * @optval: what the program gave
 * @len: bytes of that
 *
 * Context: process.
 * Return: 0; -EINVAL for another length, or reserved bytes that are not 0; -EFAULT.
 */
int nst_opt_get_rekey(struct nst_rekey *rekey, sockptr_t optval,
		      unsigned int len)
{
	int err = nst_opt_get(rekey, sizeof(*rekey), optval, len);

	return err ?: rekey->reserved ? -EINVAL : 0;
}

/**
 * nst_opt_room() - how much room a program has for a value
 * @optlen: where it says so
 *
 * Context: process.
 * Return: bytes; -EINVAL if it says less than 0; -EFAULT.
 */
int nst_opt_room(int __user *optlen)
{
	int room;

	if (get_user(room, optlen))
		return -EFAULT;
	return room < 0 ? -EINVAL : room;
}

/**
 * nst_opt_put() - a value that a program asks for
 * @value: the value
 * @size: its bytes
 * @room: from nst_opt_room()
 * @shorter: a program that has room for less gets its beginning
 * @optval: where to
 * @optlen: receives the bytes written
 *
 * Context: process.
 * Return: 0; -EINVAL if there is too little room; -EFAULT.
 */
int nst_opt_put(const void *value, int size, int room, bool shorter,
		char __user *optval, int __user *optlen)
{
	if (room < size && !shorter)
		return -EINVAL;
	room = min(room, size);
	if (put_user(room, optlen) || copy_to_user(optval, value, room))
		return -EFAULT;
	return 0;
}
