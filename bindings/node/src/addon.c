/* SPDX-License-Identifier: ISC */
/*
 * addon: libha for Node.js, as thin as it can be; lib/index.js makes an interface of it. A node's
 * one descriptor is polled on the environment's own libuv loop, by the libuv that Node brings.
 *
 *   open(options, event, worth, veto, choose)  an object for the other functions; throws {code,
 * message} stop, close, yieldTo, drain, resume, setWorth, setHealth, state, epoch, snapshot,
 * reference (node, ...)
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <node_api.h>
#include <uv.h>

#include <ha/ha.h>

#define TEXT_MAX 65536

enum callback { CALLBACK_EVENT, CALLBACK_WORTH, CALLBACK_VETO, CALLBACK_CHOOSE, CALLBACKS };

struct group {
	napi_env env;
	ha_node *node;   /* NULL: closed */
	uv_poll_t *poll; /* owned by libuv until it is closed; NULL: closed */
	napi_ref callbacks[CALLBACKS];
	napi_async_context context;
};

/* --- values */

static napi_value undefined(napi_env env)
{
	napi_value value;

	(void)napi_get_undefined(env, &value);
	return value;
}

static napi_value text(napi_env env, const char *utf8)
{
	napi_value value;

	if (napi_create_string_utf8(env, utf8, NAPI_AUTO_LENGTH, &value) != napi_ok)
		return undefined(env);
	return value;
}

static napi_value number(napi_env env, double of)
{
	napi_value value;

	(void)napi_create_double(env, of, &value);
	return value;
}

static napi_value throw_error(napi_env env, int error, const char *message)
{
	(void)napi_throw_error(env, uv_err_name(error), message);
	return NULL;
}

/* A string or number of @object as text, to be freed; NULL if it is missing. */
static char *member_text(napi_env env, napi_value object, const char *name)
{
	napi_value value, string;
	napi_valuetype type;
	size_t size = 0;
	char *copy;

	if (napi_get_named_property(env, object, name, &value) != napi_ok ||
		napi_typeof(env, value, &type) != napi_ok || type == napi_undefined ||
		type == napi_null)
		return NULL;
	if (napi_coerce_to_string(env, value, &string) != napi_ok ||
		napi_get_value_string_utf8(env, string, NULL, 0, &size) != napi_ok ||
		size > TEXT_MAX)
		return NULL;
	copy = malloc(size + 1);
	if (copy)
		(void)napi_get_value_string_utf8(env, string, copy, size + 1, &size);
	return copy;
}

static int32_t member_number(napi_env env, napi_value object, const char *name)
{
	int32_t number_of = 0;
	napi_value value;

	if (napi_get_named_property(env, object, name, &value) == napi_ok)
		(void)napi_get_value_int32(env, value, &number_of);
	return number_of;
}

static void set(napi_env env, napi_value object, const char *name, napi_value value)
{
	(void)napi_set_named_property(env, object, name, value);
}

/* --- calling JavaScript */

/* What a function of the program's throws is the program's uncaught exception. */
static napi_value call(struct group *g, enum callback which, size_t count, const napi_value *values)
{
	napi_env env = g->env;
	napi_value function, receiver, result = NULL, error;
	bool pending = false;

	if (!g->callbacks[which] ||
		napi_get_reference_value(env, g->callbacks[which], &function) != napi_ok ||
		!function || napi_get_global(env, &receiver) != napi_ok)
		return NULL;
	if (napi_make_callback(env, g->context, receiver, function, count, values, &result) ==
		napi_ok)
		return result;
	(void)napi_is_exception_pending(env, &pending);
	if (pending && napi_get_and_clear_last_exception(env, &error) == napi_ok)
		(void)napi_fatal_exception(env, error);
	return NULL;
}

static void on_event(ha_node *node, const struct ha_event *e, void *context)
{
	struct group *g = context;
	napi_env env = g->env;
	napi_handle_scope scope;
	napi_value event;

	(void)node;
	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	if (napi_create_object(env, &event) == napi_ok) {
		set(env, event, "kind", number(env, e->kind));
		set(env, event, "level", number(env, e->level));
		set(env, event, "state", number(env, e->state));
		set(env, event, "previous", number(env, e->previous));
		set(env, event, "error", number(env, e->error));
		set(env, event, "group", text(env, e->group));
		set(env, event, "peer", text(env, e->peer));
		set(env, event, "holder", text(env, e->holder));
		set(env, event, "text", text(env, e->text));
		set(env, event, "epoch", number(env, (double)e->epoch));
		set(env, event, "time", number(env, (double)e->time_ms));
		(void)call(g, CALLBACK_EVENT, 1, &event);
	}
	(void)napi_close_handle_scope(env, scope);
}

static int ask(struct group *g, enum callback which, const char *group, int configured)
{
	napi_env env = g->env;
	napi_handle_scope scope;
	int32_t answer = configured;
	napi_value values[2], result;

	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return configured;
	values[0] = text(env, group);
	values[1] = number(env, configured);
	result = call(g, which, 2, values);
	/* lib/index.js answers numbers only. */
	if (result)
		(void)napi_get_value_int32(env, result, &answer);
	(void)napi_close_handle_scope(env, scope);
	return answer;
}

static int worth_of(ha_node *node, const char *group, int configured, void *context)
{
	(void)node;
	return ask(context, CALLBACK_WORTH, group, configured);
}

static int veto(ha_node *node, const char *group, void *context)
{
	(void)node;
	return ask(context, CALLBACK_VETO, group, 0);
}

static int choose(ha_node *node, const char *group, const struct ha_candidate *candidates,
	size_t count, void *context)
{
	struct group *g = context;
	napi_env env = g->env;
	napi_handle_scope scope;
	napi_value values[2], result = NULL;
	int32_t choice = -1;

	(void)node;
	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return -1;
	values[0] = text(env, group);
	if (napi_create_array_with_length(env, count, &values[1]) == napi_ok) {
		for (size_t i = 0; i < count; i++) {
			const struct ha_candidate *c =
				(const void *)((const char *)candidates + i * candidates->size);
			napi_value item;

			if (napi_create_object(env, &item) != napi_ok)
				continue;
			set(env, item, "name", text(env, c->name));
			set(env, item, "address", text(env, c->address));
			set(env, item, "worth", number(env, c->worth));
			(void)napi_set_element(env, values[1], (uint32_t)i, item);
		}
		result = call(g, CALLBACK_CHOOSE, 2, values);
	}
	if (result)
		(void)napi_get_value_int32(env, result, &choice);
	(void)napi_close_handle_scope(env, scope);
	return choice;
}

/* --- the loop */

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void stop_polling(struct group *g)
{
	if (!g->poll)
		return;
	(void)uv_poll_stop(g->poll);
	uv_close((uv_handle_t *)g->poll, on_closed);
	g->poll = NULL;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct group *g = poll->data;
	napi_handle_scope scope;

	(void)status;
	(void)events;
	if (napi_open_handle_scope(g->env, &scope) != napi_ok)
		return;
	(void)ha_dispatch(g->node); /* the end is told as an event */
	(void)napi_close_handle_scope(g->env, scope);
}

static int start_polling(struct group *g)
{
	uv_loop_t *loop;
	int r;

	if (napi_get_uv_event_loop(g->env, &loop) != napi_ok)
		return -EINVAL;
	g->poll = malloc(sizeof(*g->poll));
	if (!g->poll)
		return -ENOMEM;
	r = uv_poll_init(loop, g->poll, ha_fd(g->node));
	if (r != 0) {
		free(g->poll);
		g->poll = NULL;
		return r;
	}
	g->poll->data = g;
	return uv_poll_start(g->poll, UV_READABLE, on_ready);
}

/* Also from within a callback: the library then frees the node when that has returned. */
static void close_group(struct group *g)
{
	stop_polling(g);
	ha_free(g->node);
	g->node = NULL;
}

static void on_environment_end(void *context)
{
	close_group(context);
}

/* The object is gone, so nobody can call anything any more. */
static void on_garbage(napi_env env, void *memory, void *hint)
{
	struct group *g = memory;

	(void)hint;
	(void)napi_remove_env_cleanup_hook(env, on_environment_end, g);
	close_group(g);
	for (int i = 0; i < CALLBACKS; i++) {
		if (g->callbacks[i])
			(void)napi_delete_reference(env, g->callbacks[i]);
	}
	if (g->context)
		(void)napi_async_destroy(env, g->context);
	free(g);
}

/* --- opening */

static const struct {
	const char *name;
	size_t offset;
} TEXTS[] = {
	{"file", offsetof(struct ha_options, file)},
	{"text", offsetof(struct ha_options, text)},
	{"interface", offsetof(struct ha_options, interface)},
	{"address", offsetof(struct ha_options, address)},
	{"group", offsetof(struct ha_options, group)},
	{"name", offsetof(struct ha_options, name)},
	{"keyFile", offsetof(struct ha_options, key_file)},
	{"extraNode", offsetof(struct ha_options, extra_node)},
	{"extraGroup", offsetof(struct ha_options, extra_group)},
	{"runtimeDir", offsetof(struct ha_options, runtime_dir)},
	{"keeper", offsetof(struct ha_options, keeper)},
};
#define TEXT_COUNT (sizeof(TEXTS) / sizeof(TEXTS[0]))

static char **text_at(struct ha_options *o, size_t i)
{
	return (char **)((char *)o + TEXTS[i].offset);
}

static void read_options(struct group *g, napi_value object, struct ha_options *o)
{
	for (size_t i = 0; i < TEXT_COUNT; i++)
		*text_at(o, i) = member_text(g->env, object, TEXTS[i].name);
	o->interval_ms = (uint32_t)member_number(g->env, object, "intervalMs");
	o->tolerance_ms = (uint32_t)member_number(g->env, object, "toleranceMs");
	o->worth = member_number(g->env, object, "worth");
	o->attached = member_number(g->env, object, "attached");
	o->event = on_event;
	o->worth_of = g->callbacks[CALLBACK_WORTH] ? worth_of : NULL;
	o->veto = g->callbacks[CALLBACK_VETO] ? veto : NULL;
	o->choose = g->callbacks[CALLBACK_CHOOSE] ? choose : NULL;
	o->context = g;
}

static int open_node(struct group *g, napi_value options)
{
	struct ha_options o = HA_OPTIONS_INIT;
	int r;

	g->node = ha_new();
	if (!g->node)
		return -ENOMEM;
	read_options(g, options, &o);
	r = ha_open(g->node, &o);
	for (size_t i = 0; i < TEXT_COUNT; i++)
		free(*text_at(&o, i));
	return r == 0 ? start_polling(g) : r;
}

static void keep_callbacks(struct group *g, const napi_value *functions)
{
	for (int i = 0; i < CALLBACKS; i++) {
		napi_valuetype type;

		if (napi_typeof(g->env, functions[i], &type) == napi_ok && type == napi_function)
			(void)napi_create_reference(g->env, functions[i], 1, &g->callbacks[i]);
	}
}

static napi_value open_group(napi_env env, napi_callback_info info)
{
	napi_value values[1 + CALLBACKS], object;
	size_t count = 1 + CALLBACKS;
	struct group *g = calloc(1, sizeof(*g));
	int r;

	if (!g || napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok) {
		free(g);
		return throw_error(env, -ENOMEM, "out of memory");
	}
	g->env = env;
	keep_callbacks(g, values + 1);
	if (napi_create_external(env, g, on_garbage, NULL, &object) != napi_ok) {
		free(g);
		return throw_error(env, -ENOMEM, "out of memory");
	}
	(void)napi_async_init(env, object, text(env, "ha"), &g->context);
	(void)napi_add_env_cleanup_hook(env, on_environment_end, g);
	r = open_node(g, values[0]);
	if (r < 0) {
		(void)throw_error(env, r, g->node ? ha_error(g->node) : "out of memory");
		close_group(g);
		return NULL;
	}
	return object;
}

/* --- the other functions */

/* The group that is the first of @count arguments, the rest in @values. NULL, after throwing, if it
 * is closed. */
static struct group *take(napi_env env, napi_callback_info info, size_t count, napi_value *values)
{
	struct group *g = NULL;

	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok ||
		napi_get_value_external(env, values[0], (void **)&g) != napi_ok || !g || !g->node) {
		(void)throw_error(env, -EINVAL, "the group is closed");
		return NULL;
	}
	return g;
}

static napi_value answer(napi_env env, const struct group *g, int r)
{
	return r < 0 ? throw_error(env, r, ha_error(g->node)) : undefined(env);
}

static napi_value stop(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct group *g = take(env, info, 1, values);

	return g ? answer(env, g, ha_stop(g->node)) : NULL;
}

static napi_value close_it(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct group *g = take(env, info, 1, values);

	if (g)
		close_group(g);
	return undefined(env);
}

/* The text of an argument, "" if it is none. */
static void argument_text(napi_env env, napi_value value, char *buffer, size_t size)
{
	buffer[0] = '\0';
	(void)napi_get_value_string_utf8(env, value, buffer, size, NULL);
}

static napi_value yield_to(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct group *g = take(env, info, 2, values);
	char to[256];

	if (!g)
		return NULL;
	argument_text(env, values[1], to, sizeof(to));
	return answer(env, g, ha_yield(g->node, NULL, to[0] ? to : NULL));
}

static napi_value drain(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct group *g = take(env, info, 2, values);
	bool force = false;

	if (!g)
		return NULL;
	(void)napi_get_value_bool(env, values[1], &force);
	return answer(env, g, ha_drain(g->node, force));
}

static napi_value resume(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct group *g = take(env, info, 1, values);

	return g ? answer(env, g, ha_resume(g->node, NULL)) : NULL;
}

static napi_value set_worth(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct group *g = take(env, info, 2, values);
	int32_t worth = -1;

	if (!g)
		return NULL;
	(void)napi_get_value_int32(env, values[1], &worth);
	return answer(env, g, ha_set_worth(g->node, NULL, worth));
}

static napi_value set_health(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct group *g = take(env, info, 3, values);
	bool healthy = true;
	char reason[256];

	if (!g)
		return NULL;
	(void)napi_get_value_bool(env, values[1], &healthy);
	argument_text(env, values[2], reason, sizeof(reason));
	return answer(env, g, ha_set_health(g->node, NULL, healthy, reason));
}

static napi_value snapshot(napi_env env, napi_callback_info info)
{
	napi_value values[1], result;
	struct group *g = take(env, info, 1, values);
	char *json;
	int r;

	if (!g)
		return NULL;
	r = ha_snapshot(g->node, &json);
	if (r < 0)
		return throw_error(env, r, ha_error(g->node));
	result = text(env, json);
	free(json);
	return result;
}

/* Whether the loop goes on for this group alone. */
static napi_value reference(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct group *g = take(env, info, 2, values);
	bool wanted = true;

	if (!g || !g->poll)
		return undefined(env);
	(void)napi_get_value_bool(env, values[1], &wanted);
	if (wanted)
		uv_ref((uv_handle_t *)g->poll);
	else
		uv_unref((uv_handle_t *)g->poll);
	return undefined(env);
}

static napi_value initialize(napi_env env, napi_value exports)
{
	const napi_property_descriptor functions[] = {
		{"open", NULL, open_group, NULL, NULL, NULL, napi_default, NULL},
		{"stop", NULL, stop, NULL, NULL, NULL, napi_default, NULL},
		{"close", NULL, close_it, NULL, NULL, NULL, napi_default, NULL},
		{"yieldTo", NULL, yield_to, NULL, NULL, NULL, napi_default, NULL},
		{"drain", NULL, drain, NULL, NULL, NULL, napi_default, NULL},
		{"resume", NULL, resume, NULL, NULL, NULL, napi_default, NULL},
		{"setWorth", NULL, set_worth, NULL, NULL, NULL, napi_default, NULL},
		{"setHealth", NULL, set_health, NULL, NULL, NULL, napi_default, NULL},
		{"snapshot", NULL, snapshot, NULL, NULL, NULL, napi_default, NULL},
		{"reference", NULL, reference, NULL, NULL, NULL, napi_default, NULL},
	};

	(void)napi_define_properties(
		env, exports, sizeof(functions) / sizeof(functions[0]), functions);
	set(env, exports, "version", text(env, ha_version()));
	return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, initialize)
