// SPDX-License-Identifier: ISC
'use strict';
// A group of shared addresses that this program holds with its likes on other servers.

const { EventEmitter, on } = require('node:events');
const util = require('node:util');

const native = require('../build/Release/ha.node');

const STATES = ['STANDBY', 'ACTIVE', 'SHUTDOWN'];
const KINDS = ['state', 'holder', 'peer', 'fault', 'notice', 'stopped', 'answer'];
const LEVELS = { 3: 'error', 4: 'warning', 5: 'notice', 6: 'info' };
const KNOWN = new Set(['interface', 'addresses', 'address', 'name', 'node', 'keyFile', 'interval', 'tolerance',
  'worth', 'veto', 'choose', 'file', 'text', 'attached', 'runtimeDir', 'keeper', 'extraNode', 'extraGroup']);

function invalid(message) {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_VALUE' });
}

function milliseconds(options, name) {
  const value = options[name];
  if (value === undefined) return 0;
  if (!Number.isInteger(value) || value < 1) throw invalid(`${name} is a whole number of milliseconds`);
  return value;
}

function checkWorth(worth) {
  if (!Number.isInteger(worth) || worth < 0 || worth > 65535) {
    throw invalid(`worth is a whole number from 0 to 65535, not ${worth}`);
  }
  return worth;
}

function nativeOptions(options) {
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key));
  if (unknown) throw invalid(`there is no option ${unknown}; known are ${[...KNOWN].join(', ')}`);
  const addresses = [].concat(options.addresses ?? options.address ?? []);
  const worth = typeof options.worth === 'number' ? checkWorth(options.worth) : 0;
  return {
    file: options.file, text: options.text, interface: options.interface,
    address: addresses.length > 0 ? addresses.join(',') : undefined,
    group: options.name, name: options.node, keyFile: options.keyFile,
    extraNode: options.extraNode, extraGroup: options.extraGroup,
    runtimeDir: options.runtimeDir, keeper: options.keeper,
    intervalMs: milliseconds(options, 'interval'), toleranceMs: milliseconds(options, 'tolerance'),
    worth, attached: options.attached ? 1 : 0,
  };
}

class Group extends EventEmitter {
  #native;
  #state = 'SHUTDOWN';
  #epoch = 0;
  #holder = '';
  #stopped;
  #settle;
  #asked = [];

  constructor(options) {
    super();
    const { worth, veto, choose } = options;
    for (const [name, policy] of [['worth', worth], ['veto', veto], ['choose', choose]]) {
      if (!['undefined', 'function', 'number'].includes(typeof policy)) {
        throw invalid(`${name} is a function${name === 'worth' ? ' or a number' : ''}`);
      }
    }
    this.#stopped = new Promise((resolve, reject) => { this.#settle = { resolve, reject }; });
    this.#stopped.catch(() => {}); // told as 'fault' and 'shutdown', too
    this.#native = native.open(nativeOptions(options), (event) => this.#tell(event),
      typeof worth === 'function' ? (group, configured) => this.#ask(worth, configured) : undefined,
      typeof veto === 'function' ? () => (this.#ask(veto, false) ? 1 : 0) : undefined,
      typeof choose === 'function' ? (_, candidates) => this.#choose(choose, candidates) : undefined);
  }

  // A policy that throws or answers nonsense changes nothing: its group stays as it is configured.
  #ask(policy, otherwise) {
    try {
      const answer = policy(this);
      if (typeof answer === 'boolean') return answer;
      if (typeof answer === 'number' && Number.isFinite(answer)) {
        return Math.min(65535, Math.max(0, Math.round(answer)));
      }
      throw invalid(`the policy of the group answered ${String(answer)} instead of a number; is it asynchronous?`);
    } catch (error) {
      this.emit('policyError', error);
      return otherwise;
    }
  }

  // One of the candidates or its name; anything else leaves it to the rules.
  #choose(policy, candidates) {
    try {
      const answer = policy(this, candidates);
      return candidates.findIndex((candidate) => candidate === answer || candidate.name === answer);
    } catch (error) {
      this.emit('policyError', error);
      return -1;
    }
  }

  #tell(raw) {
    const event = {
      type: KINDS[raw.kind], level: LEVELS[raw.level], group: raw.group, peer: raw.peer, text: raw.text,
      epoch: raw.epoch, time: new Date(raw.time),
    };
    if (event.type === 'state') {
      Object.assign(event, { state: STATES[raw.state], previous: STATES[raw.previous], holder: raw.holder });
      this.#state = event.state;
      if (event.state === 'ACTIVE') { this.#epoch = raw.epoch; this.#holder = raw.holder; }
    } else if (event.type === 'holder') {
      this.#holder = raw.peer;
    }
    this.emit('event', event);
    this.emit(event.type, event);
    if (event.type === 'state') this.emit(event.state.toLowerCase(), event);
    if (event.type === 'answer') this.#answered(raw.error, raw.text);
    if (event.type === 'stopped') this.#end(raw.error, raw.text);
  }

  // Answers come in the order of their questions where there can be several.
  #answered(error, text) {
    const { resolve, reject } = this.#asked.shift() ?? {};
    if (error < 0) reject?.(Object.assign(new Error(text), { errno: error, code: util.getSystemErrorName(error) }));
    else resolve?.(text);
  }

  #request(begin) {
    return new Promise((resolve, reject) => {
      const asked = { resolve, reject };
      this.#asked.push(asked);
      try {
        begin(this.#open());
      } catch (error) {
        this.#asked.splice(this.#asked.indexOf(asked), 1);
        reject(error);
      }
    });
  }

  #end(error, text) {
    this.close();
    if (error < 0) this.#settle.reject(Object.assign(new Error(text), { errno: error }));
    else this.#settle.resolve();
  }

  get state() { return this.#state; }
  get epoch() { return this.#epoch; }
  get holder() { return this.#holder; }
  isActive() { return this.#state === 'ACTIVE'; }
  isStandby() { return this.#state === 'STANDBY'; }
  isShutdown() { return this.#state === 'SHUTDOWN'; }

  // Planned moves; each promise is kept when it is done.
  yield(to = '') { return this.#request((group) => native.yieldTo(group, String(to))); }
  drain({ force = false } = {}) { return this.#request((group) => native.drain(group, Boolean(force))); }
  resume() { return this.#request((group) => native.resume(group)); }

  setWorth(worth) { native.setWorth(this.#open(), checkWorth(worth)); }
  setHealthy(healthy, reason = '') { native.setHealth(this.#open(), Boolean(healthy), String(reason)); }
  snapshot() { return JSON.parse(native.snapshot(this.#open())); }
  ref() { native.reference(this.#open(), true); return this; }
  unref() { native.reference(this.#open(), false); return this; }

  #open() {
    if (!this.#native) throw Object.assign(new Error('the group is closed'), { code: 'ERR_HA_CLOSED' });
    return this.#native;
  }

  // Hands the addresses over and leaves. The promise is kept when that is done.
  stop() {
    if (this.#native) native.stop(this.#native);
    return this.#stopped;
  }

  // Leaves at once.
  close() {
    if (!this.#native) return;
    native.close(this.#native);
    this.#native = undefined;
    if (this.#state !== 'SHUTDOWN') {
      const previous = this.#state;
      this.#state = 'SHUTDOWN';
      this.emit('shutdown', { type: 'state', state: 'SHUTDOWN', previous, text: 'the program has closed the group' });
    }
    this.#settle.resolve();
    for (const { reject } of this.#asked.splice(0)) reject(new Error('the group was closed'));
    this.emit('close');
  }

  // for await (const event of group): every event, until the group is closed.
  [Symbol.asyncIterator]() {
    const end = new AbortController();
    this.once('close', () => end.abort());
    if (!this.#native) end.abort();
    const events = on(this, 'event', { signal: end.signal });
    return {
      async next() {
        try {
          const { value, done } = await events.next();
          return done ? { value: undefined, done } : { value: value[0], done: false };
        } catch (error) {
          if (error.name === 'AbortError') return { value: undefined, done: true };
          throw error;
        }
      },
      return() { return events.return(); },
      [Symbol.asyncIterator]() { return this; },
    };
  }
}

// Opening takes some ten milliseconds, in which the loop waits.
async function createGroup(options = {}) {
  return new Group(options);
}

module.exports = { Group, createGroup, version: native.version };
