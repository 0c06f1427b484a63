/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/daemon.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/scheduling.h"
#include "sys/timer.h"
#include "wire/handoff.h"

#define WALL_DRIFT_MS 20

struct daemon {
	uv_loop_t *loop;
	struct handoff_values given;
	struct engine *engine;
	struct devices *devices;
	struct engine_device device_states[DEVICES_MAX];
	struct transport transport;
	struct keeper keeper;
	struct control *control;
	struct hooks *hooks;
	int timer_fd;
	uv_poll_t timer_poll, devices_poll;
	uv_prepare_t exit_check;
	bool stopped;
	/* An effect that came back as an event: brought when the list it came from is done. */
	bool sent, send_failed;
	int send_error;
	int64_t wall_offset_ms;
	struct effects effects;
	struct status status;
};

void daemon_fail(const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_error("%s", message);
	scheduling_make_ordinary();
	exit(EXIT_FAILURE);
}

/* Without a fence the addresses go on answering, so the others must not think them free before they
 * have missed us. */
_Noreturn void daemon_keeper_gone(struct daemon *d)
{
	const struct keeper *k = &d->keeper;

	lease_store(d->given.lease, TIME_ORIGIN);
	if (!k->fenced)
		daemon_fail("the keeper is gone; its addresses may still be configured: run `ha "
			    "release`");
	if (k->will_size > 0)
		(void)transport_send(&d->transport, k->will, k->will_size);
	daemon_fail("the keeper is gone; the fence silences its addresses: `ha release` takes them "
		    "down");
}

static enum log_level level_of(const struct report *r)
{
	switch (r->level) {
	case REPORT_ERROR: return LOG_LEVEL_ERROR;
	case REPORT_WARNING: return LOG_LEVEL_WARNING;
	case REPORT_NOTICE: return LOG_LEVEL_NOTICE;
	case REPORT_INFO: break;
	}
	return LOG_LEVEL_INFO;
}

/* How far the wall clock is ahead of the boottime clock. It is kept as long as it is about right,
 * so that an instant that was told once is not told a millisecond later the next time. */
static int64_t wall_offset_ms(struct daemon *d)
{
	int64_t offset_ms = clock_wall_ms() - clock_now().ns / NS_PER_MS;

	if (llabs(offset_ms - d->wall_offset_ms) > WALL_DRIFT_MS)
		d->wall_offset_ms = offset_ms;
	return d->wall_offset_ms;
}

static void perform_report(struct daemon *d, const struct report *r)
{
	if (r->kind == REPORT_STATE)
		log_line(level_of(r), "event=state group=%s epoch=%llu from=%s: %s", r->group,
			(unsigned long long)r->epoch, node_state_name(r->from), r->text);
	else if (r->group[0] != '\0')
		log_line(level_of(r), "event=%s group=%s epoch=%llu: %s", report_kind_name(r->kind),
			r->group, (unsigned long long)r->epoch, r->text);
	else
		log_line(level_of(r), "event=%s: %s", report_kind_name(r->kind), r->text);
	control_report(d->control, r, wall_offset_ms(d) + r->at.ns / NS_PER_MS);
}

static void perform_send(struct daemon *d, const struct effect *effect)
{
	int error = transport_send(&d->transport, effect->send.bytes, effect->send.size);

	d->sent = error == 0;
	d->send_failed = error != 0;
	d->send_error = error;
}

/* The fence learns first of what is given up. */
static void perform_keeper(struct daemon *d, const struct effect *effect)
{
	if (effect->keeper.verb == CHANNEL_HOLD || effect->keeper.verb == CHANNEL_RELEASE)
		lease_release(d->given.lease, effect->keeper.index,
			effect->keeper.verb == CHANNEL_RELEASE);
	keeper_send(&d->keeper, effect);
}

static void perform(struct daemon *d, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_SEND: perform_send(d, effect); break;
	case EFFECT_SEND_TO:
		transport_send_to(
			&d->transport, &effect->send.to, effect->send.bytes, effect->send.size);
		break;
	case EFFECT_LEASE: lease_store(d->given.lease, effect->lease); break;
	case EFFECT_KEEPER: perform_keeper(d, effect); break;
	case EFFECT_REPORT: perform_report(d, &effect->report); break;
	case EFFECT_HOOK: hooks_run(d->hooks, &effect->hook); break;
	case EFFECT_STOPPED: d->stopped = true; break;
	}
}

static void step(struct daemon *d, const struct engine_event *event)
{
	engine_step(d->engine, clock_now(), event, &d->effects);
	for (size_t i = 0; i < d->effects.count; i++)
		perform(d, &d->effects.list[i]);
}

void daemon_event(struct daemon *d, const struct engine_event *event)
{
	step(d, event);
	while (d->sent || d->send_failed) {
		struct engine_event result = {
			.kind = d->sent ? ENGINE_SENT : ENGINE_SEND_FAILED, .error = d->send_error};

		d->sent = d->send_failed = false;
		step(d, &result);
	}
	timer_set(d->timer_fd, engine_deadline(d->engine));
}

const struct status *daemon_status(struct daemon *d)
{
	engine_status(d->engine, clock_now(), wall_offset_ms(d), &d->status);
	snprintf(d->status.version, sizeof(d->status.version), "%s", HA_VERSION);
	snprintf(d->status.scheduling, sizeof(d->status.scheduling), "%s",
		scheduling_is_realtime() ? "real-time" : "ordinary");
	return &d->status;
}

/* R10: whoever has spoken is heard before anybody's silence is judged. */
static void on_timer(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	struct engine_event event = {.kind = ENGINE_TIMER};

	(void)status;
	(void)events;
	timer_clear(d->timer_fd);
	transport_drain(&d->transport);
	daemon_event(d, &event);
}

static void remember_device(void *context, size_t index, const struct device_state *state)
{
	struct daemon *d = context;
	struct engine_device *device = &d->device_states[index];

	*device = (struct engine_device){.index = (uint8_t)index,
		.present = state->present,
		.up = state->up,
		.carrier = state->carrier,
		.interface_index = state->interface_index,
		.v4 = state->v4,
		.v6 = state->v6};
	memcpy(device->mac, state->mac, MAC_SIZE);
}

static void tell_device(struct daemon *d, size_t index)
{
	struct engine_event event = {.kind = ENGINE_DEVICE, .device = d->device_states[index]};

	transport_device(&d->transport, &event.device);
	daemon_event(d, &event);
}

static void device_changed(void *context, size_t index, const struct device_state *state)
{
	remember_device(context, index, state);
	tell_device(context, index);
}

static void on_devices(uv_poll_t *poll, int status, int events)
{
	struct daemon *d = poll->data;
	int r = devices_update(d->devices, device_changed, d);

	(void)status;
	(void)events;
	if (r != 0)
		daemon_fail("the kernel's network tables cannot be read: %s", strerror(-r));
}

static void watch_devices(struct daemon *d)
{
	const struct conf *conf = d->given.conf;
	char names[DEVICES_MAX][DEVICE_SIZE];
	struct ip shared[ADDRESSES_MAX];
	int r;

	for (size_t i = 0; i < conf->device_count; i++)
		memcpy(names[i], conf->devices[i].name, DEVICE_SIZE);
	for (size_t i = 0; i < conf->address_count; i++)
		shared[i] = conf->addresses[i].ip;
	r = devices_open(names, conf->device_count, shared, conf->address_count, &d->devices);
	if (r == 0)
		r = devices_update(d->devices, remember_device, d);
	if (r != 0)
		daemon_fail("the kernel's network tables cannot be read: %s", strerror(-r));
}

static void poll_descriptor(struct daemon *d, uv_poll_t *poll, int fd, uv_poll_cb callback)
{
	poll->data = d;
	if (uv_poll_init(d->loop, poll, fd) != 0 || uv_poll_start(poll, UV_READABLE, callback) != 0)
		daemon_fail("descriptor %d cannot be polled", fd);
}

static void on_exit_check(uv_prepare_t *check)
{
	struct daemon *d = check->data;

	if (!d->stopped)
		return;
	if (hooks_are_idle(d->hooks))
		uv_stop(d->loop);
	else
		hooks_finish(d->hooks);
}

static void open_engine(struct daemon *d)
{
	const struct conf *conf = d->given.conf;
	const struct engine_device *first = &d->device_states[conf->node.path[0]];
	void *memory = calloc(1, engine_size());

	if (!memory)
		daemon_fail("out of memory");
	d->engine = engine_init(memory, conf,
		identity_make(conf->node.name, first->present ? first->mac : NULL), &d->given.key);
}

static void open_everything(struct daemon *d)
{
	const struct conf *conf;

	d->loop = uv_default_loop();
	handoff_take(&d->given);
	conf = d->given.conf;
	watch_devices(d);
	open_engine(d);
	d->timer_fd = timer_open();
	if (d->timer_fd < 0)
		daemon_fail("no timer: %s", strerror(-d->timer_fd));
	transport_open(&d->transport, d, conf, d->loop);
	keeper_open(&d->keeper, d, HANDOFF_CHANNEL, d->loop);
	d->control = control_open(d, HANDOFF_CONTROL, d->loop);
	d->hooks = hooks_open(conf, d->loop);
	poll_descriptor(d, &d->timer_poll, d->timer_fd, on_timer);
	poll_descriptor(d, &d->devices_poll, devices_descriptor(d->devices), on_devices);
	uv_prepare_init(d->loop, &d->exit_check);
	d->exit_check.data = d;
	uv_prepare_start(&d->exit_check, on_exit_check);
}

static void start_engine(struct daemon *d)
{
	struct engine_event event = {.kind = ENGINE_START};

	daemon_event(d, &event);
	for (size_t i = 0; i < d->given.conf->device_count; i++)
		tell_device(d, i);
}

/* What is on disk when a heartbeat is due comes too late. Only what is there now: later allocations
 * shall not fail because of a limit. */
static void lock_memory(void)
{
	if (mlockall(MCL_CURRENT) != 0)
		log_notice(
			"the engine's memory is not locked: %s; raise the limit of locked memory "
			"(LimitMEMLOCK=) if this host swaps",
			strerror(errno));
}

int main(void)
{
	static struct daemon d; /* large, and one for the process's life */

	log_open("had");
	open_everything(&d);
	lock_memory();
	confine_engine(d.given.conf);
	start_engine(&d);
	uv_run(d.loop, UV_RUN_DEFAULT);
	scheduling_make_ordinary();
	return EXIT_SUCCESS;
}
