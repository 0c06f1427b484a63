// SPDX-License-Identifier: ISC
// The status page: asks /status.json each second and follows /events. What it shows came from the network, so it
// is only ever put into text nodes, never parsed as markup.
"use strict";

const POLL_MS = 1000, POLL_HIDDEN_MS = 15000, EVENTS_MAX = 100;
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function duration(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 100) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 10000 && ms % 1000 !== 0) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (seconds < 60) return `${seconds} s`;
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Local time with milliseconds: what happens here happens within some.
function clock(time) {
  const at = new Date(time);
  return new Date(at - at.getTimezoneOffset() * 60000).toISOString().replace("T", " ").replace("Z", "");
}

// Rebuilds an element only if what it shows has changed: a selection or a screen reader is not disturbed.
const shown = new Map();
function show(id, value, build) {
  const key = JSON.stringify(value);
  if (shown.get(id) === key) return;
  shown.set(id, key);
  $(id).replaceChildren(...build(value));
}

// --- what is asked for

function showLink(kind, text) {
  $("link").className = `link ${kind}`;
  if ($("link").textContent !== text) $("link").textContent = text;
}

function showNode(node) {
  document.title = `${node.name} – ha`;
  $("node").textContent = node.name;
  const facts = [node.address ?? "no address", `a heartbeat every ${duration(node.interval_ms)}`,
    `gone after ${duration(node.tolerance_ms)}`, node.authenticated ? "authenticated" : "not authenticated",
    `fence ${node.fence}`, `scheduling ${node.scheduling}`, `ha ${node.version}`];
  $("facts").textContent = facts.join(" · ");
}

function showAlerts(status) {
  const alerts = [
    ...status.views.differences.map((text) => ["bad", `Views differ: ${text}`]),
    ...status.warnings.map((text) => ["warning", text])];
  $("alerts").hidden = alerts.length === 0;
  show("alerts", alerts, () => alerts.map(([kind, text]) => make("p", {class: `alert ${kind}`}, text)));
}

function member(node, group) {
  const standing = node.groups.find((other) => other.name === group.name);
  if (!standing) return null;
  const notes = [`worth ${standing.worth}`];
  if (standing.wants) notes.push("asks for it");
  else if (standing.listens) notes.push("listens");
  else if (!standing.eligible && node.live) notes.push("not eligible");
  if (standing.impaired) notes.push("impaired");
  const state = node.live ? standing.state : "gone";
  return make("li", {},
    make("span", {class: node.live ? "" : "gone"}, node.name),
    make("span", {class: "quiet"}, `${notes.join(", ")} `, make("span", {class: `state ${state}`}, state)));
}

function checkList(checks) {
  if (checks.length === 0) return null;
  return make("ul", {class: "members"}, ...checks.map((check) => make("li", {},
    make("span", {}, `check ${check.name}`, make("span", {class: "quiet"}, ` ${check.reason ?? ""}`)),
    make("span", {class: `state ${check.state}`}, check.state))));
}

function groupCard(group, nodes) {
  const addresses = group.addresses.map((address) => {
    const answered = group.state === "ACTIVE" && address.targets > 0
      ? ` (${address.acknowledged} of ${address.targets} neighbours acknowledged)` : "";
    return `${address.address}/${address.prefix_length}${answered}`;
  });
  return make("article", {class: group.holder ? "card" : "card lost"},
    make("h3", {}, group.name, make("span", {class: `state ${group.state}`}, group.state)),
    make("p", {class: "addresses mono"}, addresses.join(", ")),
    make("p", {class: "holder"}, group.holder ? `held by ${group.holder}` : "held by nobody",
      ` · epoch ${group.epoch}`),
    make("p", {}, group.reason),
    group.next ? make("p", {class: "quiet"}, `Next: ${group.next}`) : null,
    make("p", {class: "quiet"}, `${group.state} since ${clock(group.since).slice(0, -4)}`),
    checkList(group.checks ?? []),
    make("ul", {class: "members"}, ...nodes.map((node) => member(node, group)).filter((item) => item !== null)));
}

function showGroups(status) {
  const nodes = status.views.nodes.map(({name, live, groups}) => ({name, live, groups}));
  show("groups", [status.groups, nodes], () => status.groups.map((group) => groupCard(group, nodes)));
}

function hearingCell(row, column) {
  if (row.id === column.id) return make("td", {class: "self"}, "–");
  if (!row.live) return make("td", {class: "self"}, "?");
  const heard = row.hears.find((other) => other.id === column.id);
  if (!heard) return make("td", {class: "no"}, "NO");
  const silent = column.live && heard.age_ms > column.tolerance_ms;
  return make("td", silent ? {class: "no"} : {}, duration(heard.age_ms));
}

function showHearing(nodes) {
  const head = make("tr", {}, make("td"), ...nodes.map((node) => make("th", {scope: "col"}, node.name)));
  const rows = nodes.map((row) => make("tr", {}, make("th", {scope: "row"}, row.name),
    ...nodes.map((column) => hearingCell(row, column))));
  $("hearing").replaceChildren(head, ...rows);
}

// Bars on a logarithmic scale of counts too: one late heartbeat among a million must be seen.
function bars(histogram, bounds) {
  const width = 300, height = 70, base = 56;
  const buckets = histogram.buckets, step = width / buckets.length;
  const most = Math.log1p(Math.max(...buckets));
  const svg = draw("svg", {class: "bars", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `median at most ${duration(histogram.p50_us / 1000)}, 99 % at most ${duration(histogram.p99_us / 1000)}`});
  svg.append(draw("line", {x1: 0, y1: base, x2: width, y2: base}));
  buckets.forEach((count, i) => {
    if (count === 0) return;
    const size = Math.max(2, (base - 6) * Math.log1p(count) / most);
    const bar = draw("rect", {x: i * step + 1, y: base - size, width: step - 2, height: size, rx: 1});
    const limit = i < bounds.length ? `at most ${duration(bounds[i] / 1000)}` : "longer";
    bar.append(draw("title", {}, `${limit}: ${count}`));
    svg.append(bar);
  });
  for (let i = 0; i < bounds.length; i += 3)
    svg.append(draw("text", {x: (i + 1) * step, y: height - 3, "text-anchor": "middle"}, duration(bounds[i] / 1000)));
  return svg;
}

function timingCard(title, histogram, bounds, now) {
  const facts = histogram.count === 0 ? "none yet" : `median ≤ ${duration(histogram.p50_us / 1000)} · ` +
    `99 % ≤ ${duration(histogram.p99_us / 1000)} · longest ${duration(histogram.max_us / 1000)}`;
  return make("article", {class: "card"}, make("h3", {}, title),
    make("p", {class: "quiet mono"}, `${histogram.count} heartbeats · ${facts}`),
    now ? make("p", {class: "quiet mono"}, now) : null,
    histogram.count > 0 ? bars(histogram, bounds) : null);
}

// When a peer was last heard by each of several heartbeat interfaces.
function heardBy(paths) {
  if (paths.length < 2) return "";
  const ages = paths.map((path) => `${path.interface} ${path.last_heard_ms === null ? "never" : duration(path.last_heard_ms)}`);
  return ` (${ages.join(", ")})`;
}

function showTimings(status) {
  const paths = status.node.paths.map((path) => `${path.interface} ${path.state}`).join(" · ");
  const metrics = status.metrics, bounds = metrics.bounds_us;
  const cards = [timingCard(`${status.node.name}, its own`, metrics.timings.heartbeat_lateness, bounds, paths)];
  for (const peer of metrics.peers) {
    const of = status.peers.find((other) => other.name === peer.name);
    const now = !of ? "" : of.live ? `last heard ${duration(of.last_heard_ms)} ago${heardBy(of.paths)}` : "gone";
    cards.push(timingCard(peer.name, peer.jitter, bounds, now));
  }
  $("timings").replaceChildren(...cards);
}

const STEPS = [["takeover_silence", "silence of the holder before"], ["takeover_announced", "until the first announcement"],
  ["takeover_up", "until all addresses are up and announced"],
  ["takeover_told", "until told to the other nodes"], ["takeover_acknowledged", "until a neighbour acknowledged"],
  ["release", "release: until addresses are down"]];

function showSteps(timings) {
  const head = make("tr", {}, ...["step", "times", "median ≤", "99 % ≤", "longest"].map((text) => make("th", {scope: "col"}, text)));
  const rows = STEPS.filter(([key]) => timings[key]).map(([key, text]) => {
    const timing = timings[key];
    const times = timing.count === 0 ? ["–", "–", "–"]
      : [timing.p50_us, timing.p99_us, timing.max_us].map((us) => duration(us / 1000));
    return make("tr", {}, make("th", {scope: "row"}, text), make("td", {}, String(timing.count)),
      ...times.map((time) => make("td", {}, time)));
  });
  show("steps", STEPS.map(([key]) => timings[key]), () => [head, ...rows]);
}

async function ask() {
  try {
    const answer = await fetch("/status.json", {cache: "no-store", signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error("the daemon does not answer");
    const status = await answer.json();
    showNode(status.node);
    showAlerts(status);
    showGroups(status);
    showHearing(status.views.nodes);
    showTimings(status);
    showSteps(status.metrics.timings);
    showLink("good", "live");
  } catch (error) {
    showLink("bad", error.message === "the daemon does not answer" ? error.message : "no connection");
  }
  setTimeout(ask, document.hidden ? POLL_HIDDEN_MS : POLL_MS);
}

// --- what happens

function eventLine(event) {
  const subject = [event.group, event.peer].filter(Boolean).join(" · ") || event.event;
  const epoch = event.event === "state" && event.epoch ? ` (epoch ${event.epoch})` : "";
  return make("li", {class: "fresh"},
    make("time", {datetime: event.time}, clock(event.time)),
    make("span", {class: "subject"}, subject),
    make("span", {class: `text ${event.level}`}, event.text + epoch));
}

function follow() {
  const events = new EventSource("/events");
  events.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (event.event === "acknowledged") return; // they are many, and counted above
    $("events").prepend(eventLine(event));
    while ($("events").childElementCount > EVENTS_MAX) $("events").lastElementChild.remove();
    $("no-events").hidden = true;
  };
}

document.addEventListener("DOMContentLoaded", () => { void ask(); follow(); });
