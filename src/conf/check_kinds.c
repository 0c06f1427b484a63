/* SPDX-License-Identifier: ISC */
#include "conf/check_kinds.h"

#include <string.h>

#include "base/text.h"
#include "conf/diagnostics.h"
#include "conf/room.h"
#include "conf/values.h"

#define STATUS_FIRST 200
#define STATUS_LAST  399

static bool has_form(struct draft *d, const struct conf_check *c, const struct check_words *w,
	size_t least, size_t most)
{
	if (w->count >= least && w->count <= most)
		return true;
	draft_complain(d, "check = %s: write \"check = %s\"", CHECK_KINDS[c->kind].name,
		CHECK_KINDS[c->kind].form);
	return false;
}

/* "HOST:PORT", "[V6]:PORT". */
static bool take_tcp(struct draft *d, struct conf_check *c, struct check_words *w)
{
	char *host, *colon;
	uint64_t port = 0;

	if (!has_form(d, c, w, 1, 1))
		return false;
	host = w->list[0];
	colon = strrchr(host, ':');
	if (!colon || !value_number(colon + 1, &port) || port < 1 || port > UINT16_MAX) {
		draft_complain(d, "check = tcp: \"%s\" has no port from 1 to 65535, write %s",
			quote(host).text, "127.0.0.1:80");
		return false;
	}
	*colon = '\0';
	if (host[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	} else if (strchr(host, ':')) {
		draft_complain(d, "check = tcp: write an IPv6 address in brackets, as [::1]:80");
		return false;
	}
	if (host[0] == '\0') {
		draft_complain(d, "check = tcp: there is no host, write 127.0.0.1:80");
		return false;
	}
	c->target = room_keep(d, host);
	c->port = (uint16_t)port;
	return true;
}

/* "200" or "200-399". */
static bool take_status(struct conf_check *c, const char *word)
{
	char first[8], *dash;
	uint64_t low, high;

	if (!text_copy(first, sizeof(first), word))
		return false;
	dash = strchr(first, '-');
	if (dash)
		*dash = '\0';
	if (!value_number(first, &low) || !value_number(dash ? dash + 1 : first, &high) ||
		low < 100 || high > 599 || low > high)
		return false;
	c->status_low = (uint16_t)low;
	c->status_high = (uint16_t)high;
	return true;
}

/* Words from the @first on, with one blank between them. */
static const char *keep_words(struct draft *d, const struct check_words *w, size_t first)
{
	char joined[STATEMENT_SIZE];
	struct text t = text_init(joined, sizeof(joined));

	for (size_t i = first; i < w->count; i++)
		text_add(&t, "%s%s", i > first ? " " : "", w->list[i]);
	return room_keep(d, joined);
}

static bool take_http(struct draft *d, struct conf_check *c, struct check_words *w)
{
	const char *url = w->count > 0 ? w->list[0] : "";
	size_t text = 1;

	if (!has_form(d, c, w, 1, CHECK_WORDS_MAX))
		return false;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
		draft_complain(d,
			"check = http: \"%s\" is not a URL, write one like"
			" http://127.0.0.1/health",
			quote(url).text);
		return false;
	}
	c->target = room_keep(d, url);
	c->status_low = STATUS_FIRST;
	c->status_high = STATUS_LAST;
	if (w->count > 1 && w->list[1][0] >= '0' && w->list[1][0] <= '9') {
		text = 2;
		if (!take_status(c, w->list[1])) {
			draft_complain(d,
				"check = http: \"%s\" is not a status, write one from 100 to"
				" 599, or two as 200-399",
				quote(w->list[1]).text);
			return false;
		}
	}
	if (w->count > text)
		c->text = keep_words(d, w, text);
	return true;
}

static bool take_exec(struct draft *d, struct conf_check *c, struct check_words *w)
{
	if (!has_form(d, c, w, 1, CHECK_WORDS_MAX))
		return false;
	if (w->list[0][0] != '/') {
		draft_complain(d,
			"check = exec: \"%s\" is not an absolute path, write a program"
			" like /etc/ha/check",
			quote(w->list[0]).text);
		return false;
	}
	for (size_t i = 0; i < w->count; i++)
		if (strpbrk(w->list[i], "\"'")) {
			draft_complain(d,
				"check = exec: quotation marks mean nothing here, words are"
				" split at blanks; write a script and name it");
			return false;
		}
	c->target = keep_words(d, w, 0);
	return true;
}

static bool take_word(struct draft *d, struct conf_check *c, struct check_words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	c->target = room_keep(d, w->list[0]);
	return true;
}

static bool take_file(struct draft *d, struct conf_check *c, struct check_words *w)
{
	if (!has_form(d, c, w, 1, 2) ||
		(w->count == 2 && strcmp(w->list[1], "worth") != 0 && !has_form(d, c, w, 0, 0)))
		return false;
	if (w->list[0][0] != '/') {
		draft_complain(d,
			"check = file: \"%s\" is not an absolute path, write one like"
			" /run/ready",
			quote(w->list[0]).text);
		return false;
	}
	c->target = room_keep(d, w->list[0]);
	c->is_worth = w->count == 2;
	return true;
}

static bool take_interface(struct draft *d, struct conf_check *c, struct check_words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	if (!value_is_device(w->list[0])) {
		draft_complain(d,
			"check = interface: \"%s\" is not a device's name, write one like"
			" eth0",
			quote(w->list[0]).text);
		return false;
	}
	c->target = room_keep(d, w->list[0]);
	return true;
}

static bool take_gateway(struct draft *d, struct conf_check *c, struct check_words *w)
{
	c->target = "";
	return has_form(d, c, w, 0, 0);
}

static bool take_arp(struct draft *d, struct conf_check *c, struct check_words *w)
{
	if (!has_form(d, c, w, 1, 1))
		return false;
	if (!ip_parse(w->list[0], &c->ip) || ip_is_multicast(&c->ip) || ip_is_unspecified(&c->ip)) {
		draft_complain(d,
			"check = arp: \"%s\" is not the address of a neighbour, write one"
			" like 192.168.1.1",
			quote(w->list[0]).text);
		return false;
	}
	c->target = "";
	return true;
}

static bool take_route(struct draft *d, struct conf_check *c, struct check_words *w)
{
	char *slash;
	uint64_t length;

	if (!has_form(d, c, w, 1, 1))
		return false;
	c->target = "";
	if (strcmp(w->list[0], "default") == 0)
		return true; /* of either family: IP_NONE */
	slash = strchr(w->list[0], '/');
	if (slash)
		*slash = '\0';
	if (!slash || !ip_parse(w->list[0], &c->ip) || !value_number(slash + 1, &length) ||
		length > ip_bits(&c->ip) || !value_host_bits_are(&c->ip, (unsigned)length, false)) {
		draft_complain(d,
			"check = route: \"%s%s%s\" is not a prefix, write one like"
			" 10.0.0.0/8, or default",
			quote(w->list[0]).text, slash ? "/" : "",
			slash ? quote(slash + 1).text : "");
		return false;
	}
	c->prefix_length = (uint8_t)length;
	return true;
}

const struct check_kind CHECK_KINDS[CONF_CHECK_KINDS] = {
	[CONF_CHECK_TCP] = {"tcp", "tcp HOST:PORT", take_tcp},
	[CONF_CHECK_HTTP] = {"http", "http URL [STATUS] [TEXT]", take_http},
	[CONF_CHECK_EXEC] = {"exec", "exec /PATH/TO/PROGRAM [ARGUMENT]...", take_exec},
	[CONF_CHECK_PROCESS] = {"process", "process NAME|/PATH/TO/PIDFILE", take_word},
	[CONF_CHECK_FILE] = {"file", "file /PATH [worth]", take_file},
	[CONF_CHECK_INTERFACE] = {"interface", "interface DEVICE", take_interface},
	[CONF_CHECK_GATEWAY] = {"gateway", "gateway", take_gateway},
	[CONF_CHECK_ARP] = {"arp", "arp ADDRESS", take_arp},
	[CONF_CHECK_ROUTE] = {"route", "route PREFIX|default", take_route},
	[CONF_CHECK_GROUP] = {"group", "group NAME", take_word},
};
