/* SPDX-License-Identifier: GPL-2.0 */
/* Talking to the kernel's netlink family "nst". */
#ifndef NSTKEYCTL_NL_H
#define NSTKEYCTL_NL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/nst_netlink.h>
#include <stddef.h>
#include <stdint.h>

/* Largest request: a full box, 56 bytes a key, and its headers. */
#define NL_REQUEST_MAX	(NST_BOX_MAX * 64 + 64)

struct mnl_socket;
struct nlmsghdr;

/**
 * struct nl - a conversation
 * @sock: the socket
 * @family: number of the family, from the kernel
 * @events: number of the multicast group, from the kernel
 * @seq: of the last request
 * @message: what the kernel said about the last request, or empty
 */
struct nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t events;
	unsigned int seq;
	char message[256];
};

/* Takes one message of an answer. */
typedef void (*nl_cb)(const struct nlmsghdr *nlh, void *data);

int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
int nl_subscribe(struct nl *nl);

struct nlmsghdr *nl_request(struct nl *nl, void *buf, uint8_t cmd,
			    uint16_t flags);
int nl_talk(struct nl *nl, struct nlmsghdr *request, nl_cb cb, void *data);
int nl_simple(struct nl *nl, uint8_t cmd, uint16_t flags, nl_cb cb,
	      void *data);
int nl_listen(struct nl *nl, nl_cb cb, void *data);

void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **tb,
	      unsigned int max);
void nl_parse_nest(const struct nlattr *nest, const struct nlattr **tb,
		   unsigned int max);
uint8_t nl_u8(const struct nlattr *attr);
uint16_t nl_u16(const struct nlattr *attr);
uint32_t nl_u32(const struct nlattr *attr);
uint64_t nl_u64(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);

int nl_explain(const struct nl *nl, const char *what, int err);

#endif /* NSTKEYCTL_NL_H */
