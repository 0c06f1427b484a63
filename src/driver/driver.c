/* SPDX-License-Identifier: ISC */
#include "driver/driver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "sys/clock.h"
#include "sys/timer.h"
#include "wire/handoff.h"

#define WALL_DRIFT_MS 20
#define SOURCES_MAX   8
#define MESSAGE_SIZE  512
#define TURN_NS       (2 * NS_PER_MS) /* then it is its owner's turn */

void driver_fail(struct driver *d, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;

	if (d->over)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	d->over = true;
	d->owner.failed(d->owner.context, message);
}

void driver_tell(struct driver *d, enum report_level level, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	d->owner.told(d->owner.context, level, message);
}

/* How far the wall clock is ahead of the boottime clock. It is kept as long as it is about right,
 * so that an instant that was told once is not told a millisecond later the next time. */
static int64_t wall_offset_ms(struct driver *d)
{
	int64_t offset_ms = clock_wall_ms() - clock_now().ns / NS_PER_MS;

	if (llabs(offset_ms - d->wall_offset_ms) > WALL_DRIFT_MS)
		d->wall_offset_ms = offset_ms;
	return d->wall_offset_ms;
}

static void perform_send(struct driver *d, const struct effect *effect)
{
	int error = transport_send(&d->transport, effect->send.bytes, effect->send.size);

	d->sent = error == 0;
	d->send_failed = error != 0;
	d->send_error = error;
}

/* The fence learns first of what is given up. */
static void perform_keeper(struct driver *d, const struct effect *effect)
{
	if (effect->keeper.verb == CHANNEL_HOLD || effect->keeper.verb == CHANNEL_RELEASE)
		lease_serve(d->lease, effect->keeper.index,
			effect->keeper.verb == CHANNEL_RELEASE ? LEASE_GIVEN_UP : LEASE_IN_SERVICE);
	keeper_send(&d->keeper, effect);
}

static void perform_pass(struct driver *d, const struct effect *effect)
{
	const struct engine_pass *pass = &effect->pass;
	uint64_t other = lease_other(pass->mac, pass->interface_index);

	lease_pass(d->lease, pass->group, other, pass->until);
	lease_serve(d->lease, pass->group, pass->service);
}

/* For the moment only: it would be locked in memory, which costs time when the process ends. */
static uint8_t *map_record(const struct driver *d)
{
	void *record;

	if (d->record == 0)
		return NULL;
	record = mmap(NULL, HANDOFF_RECORD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, d->record, 0);
	return record == MAP_FAILED ? NULL : record;
}

static void perform_pause(struct driver *d)
{
	uint8_t *record = map_record(d);
	struct effect paused = {.kind = EFFECT_KEEPER, .keeper = {.verb = CHANNEL_PAUSED}};

	if (record) {
		paused.keeper.number = engine_save(d->engine, record, HANDOFF_RECORD_SIZE);
		(void)munmap(record, HANDOFF_RECORD_SIZE);
	}
	keeper_send(&d->keeper, &paused);
	d->owner.stopped(d->owner.context);
}

static void perform(struct driver *d, const struct effect *effect)
{
	const struct driver_owner *owner = &d->owner;

	switch (effect->kind) {
	case EFFECT_SEND: perform_send(d, effect); break;
	case EFFECT_SEND_TO:
		transport_send_to(
			&d->transport, &effect->send.to, effect->send.bytes, effect->send.size);
		break;
	case EFFECT_SEND_ORIGINAL: transport_send_original(&d->transport); break;
	case EFFECT_LEASE: lease_store(d->lease, effect->lease); break;
	case EFFECT_PASS: perform_pass(d, effect); break;
	case EFFECT_KEEPER: perform_keeper(d, effect); break;
	case EFFECT_REPORT: driver_report(d, &effect->report); break;
	case EFFECT_HOOK: owner->hook(owner->context, &effect->hook); break;
	case EFFECT_ANSWER: owner->answer(owner->context, &effect->answer); break;
	case EFFECT_REMEMBER: owner->remember(owner->context, effect->drained); break;
	case EFFECT_STOPPED: owner->stopped(owner->context); break;
	case EFFECT_PAUSED: perform_pause(d); break;
	}
}

static void step(struct driver *d, const struct engine_event *event)
{
	engine_step(d->engine, clock_now(), event, &d->effects);
	for (size_t i = 0; i < d->effects.count && !d->over; i++)
		perform(d, &d->effects.list[i]);
}

static ha_time next_deadline(const struct driver *d)
{
	return time_min(engine_deadline(d->engine), keeper_deadline(&d->keeper));
}

/* Most events change no deadline. */
static void set_timer(struct driver *d, ha_time at)
{
	if (at.ns == d->timer_at.ns && at.ns > 0)
		return;
	d->timer_at = at;
	timer_set(d->timer_fd, at);
}

void driver_event(struct driver *d, const struct engine_event *event)
{
	if (d->over)
		return;
	step(d, event);
	while (!d->over && (d->sent || d->send_failed)) {
		struct engine_event result = {
			.kind = d->sent ? ENGINE_SENT : ENGINE_SEND_FAILED, .error = d->send_error};

		d->sent = d->send_failed = false;
		step(d, &result);
	}
	if (!d->over && keeper_has_more(&d->keeper))
		keeper_flush(&d->keeper);
	if (!d->over && !d->dispatching)
		set_timer(d, next_deadline(d));
}

void driver_report(struct driver *d, const struct report *r)
{
	d->owner.report(d->owner.context, r, wall_offset_ms(d) + r->at.ns / NS_PER_MS);
}

void driver_ask(struct driver *d, size_t check)
{
	struct effect ask = {.kind = EFFECT_KEEPER};

	ask.keeper.verb = CHANNEL_ASK;
	ask.keeper.index = (uint16_t)check;
	if (!d->over)
		keeper_send(&d->keeper, &ask);
}

void driver_status(struct driver *d, struct status *ret_status)
{
	engine_status(d->engine, clock_now(), wall_offset_ms(d), ret_status);
}

void driver_status_begin(struct driver *d, struct status *s)
{
	engine_status_begin(d->engine, clock_now(), s);
}

void driver_status_group(struct driver *d, size_t group, struct status *s)
{
	engine_status_group(d->engine, group, wall_offset_ms(d), s);
}

/* R10: whoever has spoken is heard before anybody's silence is judged. */
static void on_timer(struct driver *d)
{
	struct engine_event event = {.kind = ENGINE_TIMER};

	d->timer_at = TIME_ORIGIN;
	transport_drain(&d->transport);
	keeper_check(&d->keeper);
	driver_event(d, &event);
}

static void remember_device(void *context, size_t index, const struct device_state *state)
{
	struct driver *d = context;
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

static void tell_device(struct driver *d, size_t index)
{
	struct engine_event event = {.kind = ENGINE_DEVICE, .device = d->device_states[index]};

	transport_device(&d->transport, &event.device);
	driver_event(d, &event);
}

static void device_changed(void *context, size_t index, const struct device_state *state)
{
	remember_device(context, index, state);
	tell_device(context, index);
}

static void on_devices(struct driver *d)
{
	int r = devices_update(d->devices, device_changed, d);

	if (r != 0)
		driver_fail(d, "the kernel's network tables cannot be read: %s", strerror(-r));
}

static bool is_shared(const void *conf, const struct ip *ip)
{
	return conf_address_by_ip(conf, ip) >= 0;
}

static bool watch_devices(struct driver *d)
{
	const struct conf *conf = d->conf;
	char names[DEVICES_MAX][DEVICE_SIZE];
	int r;

	for (size_t i = 0; i < conf->device_count; i++)
		memcpy(names[i], conf->devices[i].name, DEVICE_SIZE);
	r = devices_open(names, conf->device_count, is_shared, conf, &d->devices);
	if (r == 0)
		r = devices_update(d->devices, remember_device, d);
	if (r != 0)
		driver_fail(d, "the kernel's network tables cannot be read: %s", strerror(-r));
	return r == 0;
}

/* The timer is told of once each time: it need not be read, since it is always set anew. */
bool driver_watch(struct driver *d, int fd, enum driver_source source)
{
	struct epoll_event event = {
		.events = EPOLLIN | (source == SOURCE_TIMER ? EPOLLET : 0), .data.u32 = source};

	if (epoll_ctl(d->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return true;
	driver_fail(d, "descriptor %d cannot be polled: %s", fd, strerror(errno));
	return false;
}

/* One that cannot be taken up leaves the engine as fresh as without; then the keeper must not go on
 * holding anything either. */
static bool adopt(struct driver *d, size_t size)
{
	uint8_t *record = size <= HANDOFF_RECORD_SIZE ? map_record(d) : NULL;
	bool adopted = record && engine_adopt(d->engine, clock_now(), record, size);

	if (record)
		(void)munmap(record, HANDOFF_RECORD_SIZE);
	return adopted;
}

static void begin_afresh(struct driver *d)
{
	struct effect afresh = {.kind = EFFECT_KEEPER, .keeper = {.verb = CHANNEL_AFRESH}};

	driver_tell(d, REPORT_WARNING,
		"what the last engine has left cannot be taken up: too late, of another node, or "
		"unreadable; this one begins afresh");
	keeper_send(&d->keeper, &afresh);
}

static bool open_engine(struct driver *d, const struct heartbeat_key *key)
{
	const struct engine_device *first = &d->device_states[d->conf->node.path[0]];
	struct engine_identity identity =
		identity_make(d->conf->node.name, first->present ? first->mac : NULL);
	void *memory = calloc(1, engine_size(d->conf));

	if (memory && identity.nonce != 0)
		d->engine = engine_init(memory, d->conf, identity, key);
	else
		driver_fail(d, memory ? "no random numbers" : "out of memory");
	if (!d->engine)
		free(memory);
	return d->engine != NULL;
}

static bool open_loop(struct driver *d)
{
	d->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	d->timer_fd = timer_open();
	if (d->poll_fd < 0 || d->timer_fd < 0) {
		driver_fail(d, "no timer: %s", strerror(d->timer_fd < 0 ? -d->timer_fd : errno));
		return false;
	}
	return driver_watch(d, d->timer_fd, SOURCE_TIMER);
}

bool driver_open(
	struct driver *d, const struct driver_given *given, const struct driver_owner *owner)
{
	bool afresh;

	d->conf = given->conf;
	d->lease = given->lease;
	d->record = given->record;
	d->drained = given->drained;
	d->owner = *owner;
	d->poll_fd = d->timer_fd = -1;
	d->transport.fd_v4 = d->transport.fd_v6 = d->transport.fd_original = -1;
	d->keeper.fd = given->channel;
	if (!watch_devices(d) || !open_engine(d, given->key))
		return false;
	d->adopted = given->adopt > 0 && adopt(d, given->adopt);
	afresh = given->adopt > 0 && !d->adopted;
	if (!open_loop(d) || !driver_watch(d, devices_descriptor(d->devices), SOURCE_DEVICES) ||
		!transport_open(&d->transport, d, given->conf) ||
		!keeper_open(&d->keeper, d, given->channel))
		return false;
	if (afresh)
		begin_afresh(d);
	return !d->over;
}

void driver_close(struct driver *d)
{
	transport_close(&d->transport);
	keeper_close(&d->keeper);
	if (d->devices)
		devices_close(d->devices);
	if (d->timer_fd >= 0)
		(void)close(d->timer_fd);
	if (d->poll_fd >= 0)
		(void)close(d->poll_fd);
	free(d->engine);
	d->engine = NULL;
	d->devices = NULL;
	d->poll_fd = d->timer_fd = -1;
	d->over = true;
}

void driver_start(struct driver *d)
{
	struct engine_event event = {.kind = ENGINE_START, .drained = d->drained};

	driver_event(d, &event);
	for (size_t i = 0; i < d->conf->device_count; i++)
		tell_device(d, i);
}

int driver_descriptor(const struct driver *d)
{
	return d->poll_fd;
}

static void serve(struct driver *d, const struct epoll_event *ready)
{
	switch ((enum driver_source)ready->data.u32) {
	case SOURCE_TIMER: on_timer(d); break;
	case SOURCE_DEVICES: on_devices(d); break;
	case SOURCE_UDP_V4:
	case SOURCE_UDP_V6:
	case SOURCE_ORIGINAL: transport_drain(&d->transport); break;
	case SOURCE_KEEPER:
		if (ready->events & EPOLLOUT)
			keeper_flush(&d->keeper);
		if (ready->events & ~(uint32_t)EPOLLOUT)
			keeper_receive(&d->keeper);
		break;
	}
}

static void serve_ready(struct driver *d)
{
	struct epoll_event ready[SOURCES_MAX];
	int count = epoll_wait(d->poll_fd, ready, SOURCES_MAX, 0);

	for (int i = 0; i < count && !d->over; i++)
		serve(d, &ready[i]);
}

static bool is_due(const struct driver *d)
{
	return !d->over && time_reached(clock_now(), engine_deadline(d->engine));
}

/* An engine with many groups may have more to do than one step. Setting the timer for that would
 * cost more than the step. */
void driver_dispatch(struct driver *d)
{
	ha_time end = time_add(clock_now(), TURN_NS);

	d->dispatching = true;
	serve_ready(d);
	while (is_due(d) && !time_reached(clock_now(), end)) {
		on_timer(d);
		serve_ready(d);
	}
	d->dispatching = false;
	if (!d->over)
		set_timer(d, next_deadline(d));
}
