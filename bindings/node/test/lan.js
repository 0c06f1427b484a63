// SPDX-License-Identifier: ISC
'use strict';
// A LAN of network namespaces on this machine, and Node programs on its hosts.

const { spawn, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const ADDRESS = '10.79.0.100';
let serial = 0;

function ip(...words) { execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] }); }

function namespace(name) {
  const full = `hn-${process.pid}-${serial++}-${name}`;
  ip('netns', 'add', full);
  ip('-n', full, 'link', 'set', 'lo', 'up');
  return full;
}

async function until(condition, what, timeout = 30000) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

class Program {
  constructor(host, file, words, environment) {
    this.output = '';
    this.process = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, file, ...words], {
      env: { ...process.env, HA_NAME: host.name, HA_RUNTIME_DIR: path.join(host.lan.folder, host.name), ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => {
      this.process.on('close', (status, signal) => { this.over = true; resolve(signal ?? status); });
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (data) => { this.output += data; });
    }
    host.lan.programs.push(this);
  }

  said(text, count = 1) {
    return until(() => this.output.split(text).length > count, () => `"${text}" in:\n${this.output}`);
  }

  kill(signal = 'SIGKILL') { this.process.kill(signal); }
}

class Host {
  constructor(lan, name, number) {
    Object.assign(this, { lan, name, namespace: namespace(name) });
    const port = `p-${name}`;
    ip('-n', lan.bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.namespace);
    ip('-n', lan.bridge, 'link', 'set', port, 'master', 'br0', 'up');
    ip('-n', this.namespace, 'address', 'add', `10.79.0.${number}/24`, 'dev', 'eth0');
    ip('-n', this.namespace, 'link', 'set', 'eth0', 'up');
    lan.hosts.push(this);
  }

  node(file, words = [], environment = {}) { return new Program(this, file, words, environment); }

  has(address) {
    return execFileSync('ip', ['-n', this.namespace, '-json', 'address']).includes(`"${address}"`);
  }
}

class Lan {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ha-node-'));
    Object.assign(this, { hosts: [], programs: [], bridge: namespace('switch') });
    ip('-n', this.bridge, 'link', 'add', 'name', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    ip('-n', this.bridge, 'link', 'set', 'br0', 'up');
  }

  host(name, number) { return new Host(this, name, number); }

  async close() {
    for (const program of this.programs) if (!program.over) program.kill();
    await Promise.all(this.programs.map((program) => program.ended));
    for (const host of this.hosts) {
      await until(() => !host.has(ADDRESS), `${host.name} holds nothing any more`);
      ip('netns', 'delete', host.namespace);
    }
    ip('netns', 'delete', this.bridge);
    fs.rmSync(this.folder, { recursive: true });
  }
}

// Asks a web service on and on; a program of its own, in the client's namespace.
class Client {
  constructor(host) {
    this.program = host.node(__filename, ['ask', ADDRESS]);
  }

  // Who answered, in their order, each run of the same one once.
  async summary() {
    this.program.process.stdin.end();
    await this.program.ended;
    return JSON.parse(this.program.output.trim().split('\n').pop());
  }

  // Until it is this one who answers now.
  servedBy(name) {
    return until(() => this.program.output.trim().endsWith(`answer ${name}`), `${name} answers`);
  }

  answers(name, count = 1) { return this.program.said(`answer ${name}\n`, count); }
}

async function ask(address) {
  const hosts = [];
  let running = true;
  process.stdin.on('end', () => { running = false; }).resume();
  const once = () => new Promise((resolve) => {
    const request = http.get({ host: address, port: 8080, timeout: 200, agent: false }, (response) => {
      let text = '';
      response.on('data', (data) => { text += data; }).on('end', () => resolve(text.trim()));
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(''));
  });
  while (running) {
    const name = await once();
    if (name) {
      if (hosts.at(-1) !== name) hosts.push(name);
      console.log(`answer ${name}`);
    } else {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  console.log(JSON.stringify({ hosts }));
}

if (require.main === module) ask(process.argv[3]);

module.exports = { ADDRESS, Client, Lan, until };
