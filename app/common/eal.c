/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eal - starts and ends the EAL, and keeps its noise away: see eal.h. While rte_eal_init() runs,
 * standard output and error go to a file in memory, because it writes to both directly. Floor 6.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "args_err.h"
#include "eal.h"

/* What the EAL says at its start. Global for the sake of the SIGABRT handler alone. */
static struct capture {
	int file;
	int saved[2]; /* standard output and error */
	struct sigaction old_abort;
} capture;

static void release(void)
{
	for (int i = 0; i < 2; i++) {
		dup2(capture.saved[i], STDOUT_FILENO + i);
		close(capture.saved[i]);
	}
}

/* rte_panic() explains itself on standard error and aborts: its words must not be lost. */
static void on_abort(int number)
{
	char buf[512];
	ssize_t n;

	release();
	lseek(capture.file, 0, SEEK_SET);
	while ((n = read(capture.file, buf, sizeof(buf))) > 0)
		if (write(STDERR_FILENO, buf, (size_t)n) < 0)
			break;
}

static bool begin_capture(void)
{
	const struct sigaction sa = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};

	capture.file = memfd_create("eal-log", MFD_CLOEXEC);
	if (capture.file < 0)
		return false;
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 2; i++) {
		capture.saved[i] = dup(STDOUT_FILENO + i);
		dup2(capture.file, STDOUT_FILENO + i);
	}
	sigaction(SIGABRT, &sa, &capture.old_abort);
	return true;
}

/* Gives both streams back; buf gets what was said. */
static void end_capture(char *buf, size_t len)
{
	ssize_t n;

	fflush(stdout);
	fflush(stderr);
	sigaction(SIGABRT, &capture.old_abort, NULL);
	release();
	n = pread(capture.file, buf, len - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	close(capture.file);
}

/* Cuts the next line off *p, without its end. */
static char *next_line(char **p)
{
	char *line = *p;
	size_t len = strcspn(line, "\n");

	if (*line == '\0')
		return NULL;
	*p = line + len + (line[len] == '\n');
	line[len] = '\0';
	return line;
}

/* The first complaint is the cause, the one marked FATAL says what it led to. */
static void explain(char *said, int why, struct rnl_error *err)
{
	const char *first = NULL, *fatal = NULL;
	char *line;

	while ((line = next_line(&said)) != NULL) {
		const char *mark = strstr(line, "FATAL: ");

		if (mark != NULL && fatal == NULL)
			fatal = mark + strlen("FATAL: ");
		else if (first == NULL && mark == NULL && *line != '\0')
			first = strncmp(line, "EAL: ", 5) == 0 ? line + 5 : line;
	}
	rnl_app_err(err, -why,
	            "the EAL did not start (%.60s%s%.110s): --log-level=lib.eal:debug tells "
	            "more",
	            fatal != NULL ? fatal : strerror(why), first != NULL ? ": " : "",
	            first != NULL ? first : "");
}

static int init_quietly(int argc, char *argv[], struct rnl_error *err)
{
	static char said[65536];
	int used, why;

	rte_log_set_global_level(RTE_LOG_ERR);
	if (!begin_capture())
		return rnl_app_err(err, -errno,
		                   "no file in memory can be made (%s): close some files",
		                   strerror(errno));
	used = rte_eal_init(argc, argv);
	why = rte_errno;
	end_capture(said, sizeof(said));
	if (used < 0) {
		explain(said, why != 0 ? why : EINVAL, err);
		return -(why != 0 ? why : EINVAL);
	}
	rte_log_set_global_level(RTE_LOG_WARNING);
	rte_openlog_stream(stderr); /* standard output is the console's */
	return used;
}

int rnl_eal_start(int argc, char *argv[], struct rnl_error *err)
{
	struct rnl_eal_args args;
	int rc = rnl_eal_parse(argc, argv, &args, err);

	if (rc != 0)
		return rc;
	if (!args.help && !args.version) {
		rc = rnl_eal_preflight(&args, err);
		if (rc != 0)
			return rc;
	}
	/* Its help and version go to standard output, and help ends the process. */
	if (!args.help && !args.version && !args.log_level)
		return init_quietly(argc, argv, err);
	rc = rte_eal_init(argc, argv);
	if (rc < 0)
		return rnl_app_err(err, -rte_errno,
		                   "the EAL did not start (%s): its log above says why",
		                   rte_strerror(rte_errno));
	return rc;
}

void rnl_eal_stop(void)
{
	rte_eal_cleanup();
}

int rnl_eal_fail(const char *prog, const struct rnl_error *err)
{
	fprintf(stderr, "%s: %s\n", prog, err->text);
	return 1;
}
