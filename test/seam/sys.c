/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system-call side of the seam: life, lock, clock, waiting, packets. One lock is around
 * everything; a call that waits gives it back meanwhile.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_eal.h>

#include "sys_pvt.h"

#define US_NS UINT64_C(1000)
#define SEC_NS UINT64_C(1000000000)

static pthread_mutex_t eal_lock = PTHREAD_MUTEX_INITIALIZER;
static int eal_state = 1; /* 1: not started; 0: runs; negative: failed */

uint32_t rnl_seam_sys_abi(void)
{
	return RNL_SEAM_SYS_ABI;
}

/* ---- lock --------------------------------------------------------------------------------------
 */

bool rnl_sys_gone(const struct sys_sock *p)
{
	struct stat st;

	return fstat(p->fd, &st) < 0 || st.st_dev != p->dev || st.st_ino != p->ino;
}

void rnl_sys_enter(struct rnl_seam_sys *h)
{
	pthread_mutex_lock(&h->lock);
	for (unsigned int i = 0; i < RNL_SEAM_SOCKETS; i++)
		if (h->socks[i].k != NULL && rnl_sys_gone(&h->socks[i]))
			rnl_sys_drop(h, &h->socks[i], false);
}

/* This thread was woken by news of a seam, and has not acted on it yet. */
static __thread bool awake;

static void tell(struct rnl_seam_sys *h)
{
	rnl_sys_show(h);
	h->news_count++;
	h->woken += h->asleep;
	h->asleep = 0;
	pthread_cond_broadcast(&h->news);
}

static void acted(struct rnl_seam_sys *h)
{
	if (!awake)
		return;
	awake = false;
	if (--h->woken == 0)
		pthread_cond_broadcast(&h->settled);
}

ssize_t rnl_sys_leave(struct rnl_seam_sys *h, ssize_t rc)
{
	acted(h);
	tell(h);
	pthread_mutex_unlock(&h->lock);
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

uint64_t rnl_sys_after(struct rnl_seam_sys *h, uint64_t ns)
{
	return ns == 0 ? SYS_NEVER : rnl_seam_now(h->s) + ns;
}

/* ---- time --------------------------------------------------------------------------------------
 */

/* Real time: until there is news, or it is until_ns. */
static void sleep_real(struct rnl_seam_sys *h, uint64_t until_ns)
{
	struct timespec ts = {.tv_sec = (time_t)(until_ns / SEC_NS),
	                      .tv_nsec = (long)(until_ns % SEC_NS)};

	rnl_sys_show(h);
	if (until_ns == SYS_NEVER)
		pthread_cond_wait(&h->news, &h->lock);
	else
		pthread_cond_timedwait(&h->news, &h->lock, &ts);
}

/* Virtual time: it is the news of another thread that time has passed. */
static void sleep_virtual(struct rnl_seam_sys *h)
{
	uint64_t count = h->news_count;

	acted(h);
	rnl_sys_show(h);
	h->asleep++;
	while (h->news_count == count)
		pthread_cond_wait(&h->news, &h->lock);
	awake = true;
}

/* Virtual time goes to the next deadline, or to until_ns if that is sooner. */
static int drive_clock(struct rnl_seam_sys *h, uint64_t until_ns)
{
	uint64_t now = rnl_seam_now(h->s), at = rnl_next_deadline(h->s->stack);
	int rc;

	if (at == UINT64_MAX && until_ns == SYS_NEVER)
		return -EDEADLK;
	if (at <= now)
		at = now + US_NS;
	rc = rnl_seam_run(h->s, at < until_ns ? at : until_ns, false);
	tell(h);
	return rc;
}

int rnl_sys_wait(struct rnl_seam_sys *h, uint64_t until_ns, bool drive)
{
	if (rnl_seam_now(h->s) >= until_ns)
		return -ETIMEDOUT;
	if (h->time == RNL_SEAM_SYS_REAL) {
		sleep_real(h, until_ns);
		return 0;
	}
	if (h->time == RNL_SEAM_SYS_VIRTUAL || (drive && h->woken == 0))
		return drive_clock(h, until_ns);
	if (drive)
		pthread_cond_wait(&h->settled, &h->lock);
	else
		sleep_virtual(h);
	return 0;
}

/* Real time: runs each timer on its deadline; any call may have moved it. */
static void *run_timers(void *arg)
{
	struct rnl_seam_sys *h = arg;

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		uint64_t at = rnl_next_deadline(h->s->stack);

		if (at <= rnl_seam_now(h->s)) {
			rnl_seam_settle(h->s);
			tell(h);
			at = rnl_next_deadline(h->s->stack);
		}
		sleep_real(h, at);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

int rnl_seam_sys_usleep(struct rnl_seam_sys *h, uint64_t us)
{
	uint64_t until;
	int rc = 0;

	rnl_sys_enter(h);
	until = rnl_seam_now(h->s) + us * US_NS;
	while (rc == 0)
		rc = rnl_sys_wait(h, until, true);
	return (int)rnl_sys_leave(h, rc == -ETIMEDOUT ? 0 : rc);
}

int rnl_seam_sys_gettimeofday(struct rnl_seam_sys *h, struct timeval *tv, void *tz)
{
	uint64_t us;
	int rc = 0;

	rnl_sys_enter(h);
	us = rnl_seam_now(h->s) / US_NS;
	if (h->time != RNL_SEAM_SYS_REAL)
		rc = rnl_seam_run(h->s, (us + 1) * US_NS, false);
	tv->tv_sec = (time_t)(us / 1000000);
	tv->tv_usec = (suseconds_t)(us % 1000000);
	return (int)rnl_sys_leave(h, rc);
}

/* ---- packets -----------------------------------------------------------------------------------
 */

int rnl_seam_sys_netdev_send(struct rnl_seam_sys *h, const void *packet, size_t len)
{
	rnl_sys_enter(h);
	return (int)rnl_sys_leave(h, rnl_seam_send(h->s, packet, len));
}

static int receive(struct rnl_seam_sys *h, void *packet, size_t *len, int64_t *time_us,
                   uint64_t wait_ns)
{
	uint64_t until = rnl_seam_now(h->s) + wait_ns, at = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0) {
		n = rnl_seam_receive(h->s, packet, *len, &at);
		if (n != -EAGAIN)
			break;
		rc = rnl_sys_wait(h, until, true);
	}
	if (rc < 0) {
		*len = 0;
		return rc == -ETIMEDOUT ? 0 : rc;
	}
	if (n < 0)
		return (int)n;
	*len = (size_t)n;
	if (time_us != NULL)
		*time_us = (int64_t)(at / US_NS);
	return 0;
}

int rnl_seam_sys_netdev_poll(struct rnl_seam_sys *h, void *packet, size_t *len, int64_t *time_us,
                             uint64_t wait_us)
{
	rnl_sys_enter(h);
	return (int)rnl_sys_leave(h, receive(h, packet, len, time_us, wait_us * US_NS));
}

int rnl_seam_sys_netdev_receive(struct rnl_seam_sys *h, void *packet, size_t *len, int64_t *time_us)
{
	return rnl_seam_sys_netdev_poll(h, packet, len, time_us, h->receive_wait_ns / US_NS);
}

/* ---- life --------------------------------------------------------------------------------------
 */

/* EAL pins the thread that starts it: the tool's threads should not inherit that. */
static int start_eal(unsigned int megabytes, char *text, size_t text_len)
{
	cpu_set_t cpus;
	int had, rc;

	pthread_mutex_lock(&eal_lock);
	if (eal_state > 0) {
		had = pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus);
		eal_state = rnl_seam_eal_init("rnl_seam", megabytes != 0 ? megabytes : 256);
		if (had == 0)
			pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
		if (eal_state == 0 && rte_eal_has_hugepages())
			eal_state = -ENOTSUP;
	}
	rc = eal_state;
	pthread_mutex_unlock(&eal_lock);
	if (rc < 0)
		snprintf(text, text_len,
		         "EAL did not start (%s): one EAL in a process; with dlopen() leave out "
		         "RTLD_DEEPBIND, under which it misreads its arguments",
		         strerror(-rc));
	return rc;
}

static int add_gateway(struct rnl_seam_sys *h, const char *gateway, struct rnl_error *err)
{
	static const struct rnl_addr any4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, any6;
	struct rnl_addr gw;

	if (gateway == NULL)
		return 0;
	if (rnl_addr_parse(gateway, &gw) < 0) {
		snprintf(err->text, sizeof(err->text), "gateway %.60s is no address", gateway);
		return -EINVAL;
	}
	return rnl_route_add(h->s->stack, rnl_addr_is_v4(&gw) ? &any4 : &any6, 0, &gw, err);
}

static int read_addr(const char *text, struct rnl_addr *out, bool v4, struct rnl_error *err)
{
	if (text == NULL)
		return 0;
	if (rnl_addr_parse(text, out) == 0 && rnl_addr_is_v4(out) == v4)
		return 0;
	snprintf(err->text, sizeof(err->text), "%.60s is no IPv%d address", text, v4 ? 4 : 6);
	return -EINVAL;
}

static int make_seam(struct rnl_seam_sys *h, const struct rnl_seam_sys_config *cfg,
                     struct rnl_error *err)
{
	struct rnl_seam_config sc = {
	    .clock = h->time == RNL_SEAM_SYS_REAL ? RNL_SEAM_REAL : RNL_SEAM_VIRTUAL,
	    .start_ns = cfg->start_us * US_NS,
	    .mtu = (uint16_t)cfg->mtu,
	};
	int rc;

	if (cfg->time > RNL_SEAM_SYS_REAL || cfg->mtu > UINT16_MAX) {
		snprintf(err->text, sizeof(err->text), "time is 0 to 2, mtu at most 65535");
		return -EINVAL;
	}
	rc = read_addr(cfg->ip4, &sc.ip4, true, err);
	if (rc == 0)
		rc = read_addr(cfg->ip6, &sc.ip6, false, err);
	if (rc == 0)
		rc = rnl_seam_create(&sc, &h->s, err);
	if (rc == 0)
		rc = add_gateway(h, cfg->gateway4, err);
	if (rc == 0)
		rc = add_gateway(h, cfg->gateway6, err);
	return rc;
}

static void make_lock(struct rnl_seam_sys *h)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->news, &attr);
	pthread_cond_init(&h->settled, NULL);
	pthread_condattr_destroy(&attr);
}

struct rnl_seam_sys *rnl_seam_sys_open(const struct rnl_seam_sys_config *cfg, char *text,
                                       size_t text_len)
{
	struct rnl_seam_sys_config c = {.size = sizeof(c)};
	struct rnl_seam_sys *h = calloc(1, sizeof(*h));
	struct rnl_error err = {"out of memory"};
	int rc = h == NULL ? -ENOMEM : 0;

	if (cfg != NULL)
		memcpy(&c, cfg, cfg->size < sizeof(c) ? cfg->size : sizeof(c));
	if (rc == 0)
		rc = start_eal(c.megabytes, err.text, sizeof(err.text));
	if (rc == 0) {
		make_lock(h);
		h->time = c.time;
		h->receive_wait_ns =
		    UINT64_C(1000000) * (c.receive_wait_ms != 0 ? c.receive_wait_ms : 10000);
		rc = make_seam(h, &c, &err);
		if (rc == 0 && h->time == RNL_SEAM_SYS_REAL)
			rc = -pthread_create(&h->thread, NULL, run_timers, h);
		h->has_thread = rc == 0 && h->time == RNL_SEAM_SYS_REAL;
	}
	if (rc == 0)
		return h;
	if (text != NULL)
		snprintf(text, text_len, "%s", err.text);
	if (h != NULL && h->s != NULL)
		rnl_seam_destroy(h->s);
	free(h);
	errno = -rc;
	return NULL;
}

unsigned int rnl_seam_sys_free(struct rnl_seam_sys *h)
{
	unsigned int lost;

	rnl_sys_enter(h);
	for (unsigned int i = 0; i < RNL_SEAM_SOCKETS; i++)
		if (h->socks[i].k != NULL)
			rnl_sys_drop(h, &h->socks[i], true);
	h->stop = true;
	rnl_sys_leave(h, 0);
	if (h->has_thread)
		pthread_join(h->thread, NULL);
	lost = rnl_seam_destroy(h->s);
	pthread_cond_destroy(&h->settled);
	pthread_cond_destroy(&h->news);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return lost;
}
