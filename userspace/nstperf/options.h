/* SPDX-License-Identifier: GPL-2.0 */
/* What the user wants, from arguments and from files with a whole plan. */
#ifndef NSTPERF_OPTIONS_H
#define NSTPERF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_PORT	20051
#define OPTIONS_SIZES	32
#define OPTIONS_REPEAT_MAX	1000

/**
 * struct options - what the user wants
 * @host: server's name or address; of a server: where it listens, or NULL
 * @port: of it
 * @data_port: first port for data of a server; 0: any
 * @once: a server ends after one client
 * @scenarios: bits
 * @modes: bits
 * @sizes: in bytes; none: what is usual for each scenario
 * @nr_sizes: how many
 * @file_sizes: of the files that are sent, in bytes
 * @nr_file_sizes: how many, one at least
 * @file_dir: where it is made
 * @seconds: to measure, if @count is 0
 * @count: calls
 * @warmup: seconds before
 * @repeat: rounds over all
 * @streams: at once
 * @requests: of a connection
 * @timeout: seconds
 * @verify: every byte
 * @drop_caches: before each run
 * @cpu: the client's processor, -1: any
 * @server_cpu: the server's
 * @family: AF_INET, AF_INET6 or 0
 * @json: file, "-", or NULL
 * @quiet: no progress
 */
struct options {
	const char *host;
	unsigned int port;
	unsigned int data_port;
	bool once;
	unsigned int scenarios;
	unsigned int modes;
	uint64_t sizes[OPTIONS_SIZES];
	unsigned int nr_sizes;
	uint64_t file_sizes[OPTIONS_SIZES];
	unsigned int nr_file_sizes;
	const char *file_dir;
	double seconds;
	uint64_t count;
	double warmup;
	unsigned int repeat;
	unsigned int streams;
	unsigned int requests;
	unsigned int timeout;
	bool verify;
	bool drop_caches;
	int cpu;
	int server_cpu;
	int family;
	const char *json;
	bool quiet;
};

enum command { COMMAND_SERVER = 1, COMMAND_CLIENT = 2, COMMAND_LOCAL = 4 };

/* Reads the words behind the command. 0, or trouble(). */
int options_parse(struct options *options, enum command command, int argc,
		  char **argv);

/* A line for each, for help. */
void options_help(void);

#endif /* NSTPERF_OPTIONS_H */
