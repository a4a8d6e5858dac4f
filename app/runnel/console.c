/* SPDX-License-Identifier: BSD-3-Clause */
/* The console's commands: see console.h. Floor 6. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_log.h>

#include <cmdline.h>
#include <cmdline_parse.h>
#include <cmdline_parse_num.h>
#include <cmdline_parse_string.h>
#include <cmdline_rdline.h>
#include <cmdline_socket.h>

#include "console.h"
#include "show.h"

#define PROMPT "runnel> "
#define LOAD_DEPTH_MAX 8
#define LINE_MAX_LEN 512 /* librte_cmdline's own */
#define SHOW_CONN_DEFAULT 20u
#define SHOW_CONN_ALL (1u << 20)
#define NS_PER_SECOND UINT64_C(1000000000)

struct rnl_console {
	struct rnl_endpoint *e;
	struct rnl_stats_view *stats;
	bool interactive;
	struct cmdline *terminal; /* NULL: not interactive, or not yet opened */
	uint64_t period_ns, due_ns;
	const char *file; /* commands to run once the workers do; NULL: none, or done */
	unsigned int load_depth;
};

/* librte_cmdline hands its callbacks nothing of ours: a process has one console. */
static struct rnl_console *console;

/* What a line is parsed into. */
struct words {
	cmdline_fixed_string_t w[5];
	uint32_t n;
};

#define WORD(i, text)                                                                              \
	((cmdline_parse_token_hdr_t *)&(cmdline_parse_token_string_t)TOKEN_STRING_INITIALIZER(     \
	    struct words, w[i], text))
#define ANY(i) WORD(i, NULL)
#define NUMBER                                                                                     \
	((cmdline_parse_token_hdr_t *)&(cmdline_parse_token_num_t)TOKEN_NUM_INITIALIZER(           \
	    struct words, n, RTE_UINT32))

static const char help_text[] =
    "\n"
    "Control:\n"
    "  start                          listen\n"
    "  stop                           listen no more; connections live on; prints totals\n"
    "  quit                           end (also: end of input)\n"
    "  load FILE                      run the commands in FILE\n"
    "  help                           this text\n"
    "Display:\n"
    "  show port info|stats|xstats N|all\n"
    "  show conn                      the first connections of each core\n"
    "  show conn all                  all connections\n"
    "  show conn ID                   everything known of one (ID: first column of show conn)\n"
    "  show stats                     every counter that is not zero, and what it means\n"
    "  show config                    listeners, addresses, cores, queues, pools\n"
    "  clear port stats|xstats N|all\n"
    "  clear stats                    count from here\n"
    "Settings:\n"
    "  set stats-period SEC           a line of figures each SEC seconds (0: none)\n"
    "  set cc NAME                    congestion control of connections from now on\n"
    "  set promisc N|all on|off       promiscuous mode\n"
    "  set log global|TYPE LEVEL      log level 1-8 of everything, or of log types that match\n"
    "\n";

static void do_help(void *parsed, struct cmdline *cl, void *data)
{
	fputs(help_text, stdout);
}

static void do_start(void *parsed, struct cmdline *cl, void *data)
{
	struct rnl_error err = {0};

	if (console->e->listening)
		puts("already listening");
	else if (rnl_endpoint_start(console->e, &err) != 0)
		printf("%s\n", err.text);
	else
		puts("listening");
}

static void do_stop(void *parsed, struct cmdline *cl, void *data)
{
	struct rnl_error err = {0};

	if (!console->e->listening) {
		puts("not listening");
		return;
	}
	if (rnl_endpoint_stop(console->e, &err) != 0)
		printf("%s\n", err.text);
	rnl_stats_totals(console->stats);
}

static void do_quit(void *parsed, struct cmdline *cl, void *data)
{
	rnl_loop_stop(&console->e->loop);
	cmdline_quit(cl);
}

static void run_file(struct rnl_console *c, const char *path);

static void do_load(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	run_file(console, w->w[1]);
}

static enum rnl_show_port port_item(const char *word)
{
	if (strcmp(word, "stats") == 0)
		return RNL_SHOW_STATS;
	return strcmp(word, "xstats") == 0 ? RNL_SHOW_XSTATS : RNL_SHOW_INFO;
}

static void do_show_port(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	rnl_show_port(console->e, port_item(w->w[2]), w->w[3]);
}

static void do_clear_port(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	rnl_show_clear_port(console->e, port_item(w->w[2]), w->w[3]);
}

static void do_show(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	if (strcmp(w->w[1], "conn") == 0)
		rnl_show_conn(console->e, SHOW_CONN_DEFAULT);
	else if (strcmp(w->w[1], "config") == 0)
		rnl_show_config(console->e);
	else
		rnl_stats_all(console->stats);
}

static void do_show_conn_of(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	if (strcmp(w->w[2], "all") == 0)
		rnl_show_conn(console->e, SHOW_CONN_ALL);
	else
		rnl_show_conn_id(console->e, w->w[2]);
}

static void do_clear_stats(void *parsed, struct cmdline *cl, void *data)
{
	rnl_stats_clear(console->stats);
	puts("statistics cleared");
}

static void do_set_period(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	console->period_ns = w->n * NS_PER_SECOND;
	console->due_ns = rnl_clock_ns() + console->period_ns;
}

static void do_set_promisc(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	rnl_show_set_promisc(console->e, w->w[2], strcmp(w->w[3], "on") == 0);
}

static void do_set_cc(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;
	struct rnl_error err = {0};
	const struct rnl_arg a = {.opt = "set cc", .text = w->w[2], .err = &err};
	const struct rnl_cc_ops *cc = NULL;
	int ret = rnl_arg_cc(&a, &cc);

	if (ret == 0)
		ret = rnl_endpoint_set_cc(console->e, cc, &err);
	if (ret != 0)
		printf("%s\n", err.text);
}

static void do_set_log(void *parsed, struct cmdline *cl, void *data)
{
	const struct words *w = parsed;

	if (w->n < RTE_LOG_EMERG || w->n > RTE_LOG_DEBUG)
		printf("%u is not a log level: give 1 (emergency) to 8 (debug)\n", w->n);
	else if (strcmp(w->w[2], "global") == 0)
		rte_log_set_global_level(w->n);
	else if (rte_log_set_level_pattern(w->w[2], w->n) != 0)
		printf("'%s' is not a pattern of log types\n", w->w[2]);
}

#define COMMAND(name, fn, help, ...)                                                               \
	static cmdline_parse_inst_t name = {                                                       \
	    .f = fn,                                                                               \
	    .help_str = help,                                                                      \
	    .tokens = {__VA_ARGS__, NULL},                                                         \
	}

COMMAND(cmd_help, do_help, "help", WORD(0, "help"));
COMMAND(cmd_start, do_start, "start", WORD(0, "start"));
COMMAND(cmd_stop, do_stop, "stop", WORD(0, "stop"));
COMMAND(cmd_quit, do_quit, "quit", WORD(0, "quit"));
COMMAND(cmd_load, do_load, "load FILE", WORD(0, "load"), ANY(1));
COMMAND(cmd_show_port, do_show_port, "show port info|stats|xstats N|all", WORD(0, "show"),
        WORD(1, "port"), WORD(2, "info#stats#xstats"), ANY(3));
COMMAND(cmd_clear_port, do_clear_port, "clear port stats|xstats N|all", WORD(0, "clear"),
        WORD(1, "port"), WORD(2, "stats#xstats"), ANY(3));
COMMAND(cmd_show, do_show, "show conn|stats|config", WORD(0, "show"), WORD(1, "conn#stats#config"));
COMMAND(cmd_show_conn_of, do_show_conn_of, "show conn all|ID", WORD(0, "show"), WORD(1, "conn"),
        ANY(2));
COMMAND(cmd_clear_stats, do_clear_stats, "clear stats", WORD(0, "clear"), WORD(1, "stats"));
COMMAND(cmd_set_period, do_set_period, "set stats-period SEC", WORD(0, "set"),
        WORD(1, "stats-period"), NUMBER);
COMMAND(cmd_set_promisc, do_set_promisc, "set promisc N|all on|off", WORD(0, "set"),
        WORD(1, "promisc"), ANY(2), WORD(3, "on#off"));
COMMAND(cmd_set_cc, do_set_cc, "set cc NAME", WORD(0, "set"), WORD(1, "cc"), ANY(2));
COMMAND(cmd_set_log, do_set_log, "set log global|TYPE LEVEL", WORD(0, "set"), WORD(1, "log"),
        ANY(2), NUMBER);

static cmdline_parse_ctx_t commands[] = {
    &cmd_help,          &cmd_start,
    &cmd_stop,          &cmd_quit,
    &cmd_load,          &cmd_show_port,
    &cmd_clear_port,    &cmd_show,
    &cmd_show_conn_of,  &cmd_clear_stats,
    &cmd_set_period,    &cmd_set_promisc,
    &cmd_set_cc,        &cmd_set_log,
    NULL,
};

/* ---- life ----------------------------------------------------------------------------------- */

struct rnl_console *rnl_console_new(struct rnl_endpoint *e, struct rnl_stats_view *stats,
                                    bool interactive)
{
	struct rnl_console *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->e = e;
	c->stats = stats;
	c->period_ns = e->params->stats_period_ns;
	c->due_ns = rnl_clock_ns() + c->period_ns;
	c->file = e->params->cmdline_file;
	console = c;
	c->interactive = interactive;
	return c;
}

void rnl_console_free(struct rnl_console *c)
{
	if (c == NULL)
		return;
	if (c->terminal != NULL)
		cmdline_stdin_exit(c->terminal);
	free(c);
	console = NULL;
}

static void run_lines(struct cmdline *cl, FILE *f)
{
	char line[LINE_MAX_LEN];

	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (cmdline_in(cl, line, (int)strlen(line)) < 0 || cmdline_in(cl, "\n", 1) < 0)
			break;
		fflush(stdout);
	}
}

static int load_file(struct rnl_console *c, const char *path, struct rnl_error *err)
{
	struct cmdline *cl;
	FILE *f;

	if (c->load_depth == LOAD_DEPTH_MAX)
		return rnl_service_fail(err, -ELOOP, "%s: files load each other more than %d deep",
		                        path, LOAD_DEPTH_MAX);
	f = fopen(path, "r");
	if (f == NULL)
		return rnl_service_fail(err, -errno, "cannot read %s: %s", path, strerror(errno));
	fflush(stdout);
	cl = cmdline_new(commands, PROMPT, -1, STDOUT_FILENO);
	if (cl == NULL) {
		fclose(f);
		return rnl_service_fail(err, -ENOMEM, "out of memory");
	}
	c->load_depth++;
	run_lines(cl, f);
	c->load_depth--;
	cmdline_free(cl);
	fclose(f);
	putchar('\n');
	return 0;
}

static void run_file(struct rnl_console *c, const char *path)
{
	struct rnl_error err = {0};

	if (load_file(c, path, &err) != 0)
		printf("%s\n", err.text);
}

static void read_terminal(struct rnl_console *c)
{
	struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};
	char text[256];
	ssize_t n;

	if (poll(&pfd, 1, 0) <= 0)
		return;
	n = read(STDIN_FILENO, text, sizeof(text));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	/* The end of input, typed or real, ends the program as it ends testpmd. */
	if (n <= 0 || cmdline_in(c->terminal, text, (int)n) < 0)
		rnl_loop_stop(&c->e->loop);
	fflush(stdout);
}

/* Not before the program said what it has to say: this prints the prompt. */
static void open_terminal(struct rnl_console *c)
{
	c->terminal = cmdline_stdin_new(commands, PROMPT);
	if (c->terminal == NULL) {
		puts("no memory for a console");
		rnl_loop_stop(&c->e->loop);
	}
}

void rnl_console_tick(void *arg)
{
	struct rnl_console *c = arg;

	if (c->file != NULL) {
		run_file(c, c->file);
		c->file = NULL;
	}
	if (c->interactive && c->terminal == NULL)
		open_terminal(c);
	if (c->terminal != NULL)
		read_terminal(c);
	if (c->period_ns != 0 && rnl_clock_ns() >= c->due_ns) {
		rnl_stats_line(c->stats);
		c->due_ns += c->period_ns;
	}
}
