// SPDX-License-Identifier: ISC
// A web service that shares its address with its likes on other servers: node http.js INTERFACE ADDRESS/LENGTH
'use strict';

const http = require('node:http');
const os = require('node:os');
const { createGroup } = require('ha');

const [, , device, address] = process.argv;
const name = process.env.HA_NAME ?? os.hostname();

http.createServer((_, response) => response.end(`${name}\n`)).listen(8080);

createGroup({
  interface: device,
  addresses: [address],
  node: name,
  keeper: process.env.HA_KEEPER, // undefined: the installed one
  runtimeDir: process.env.HA_RUNTIME_DIR, // undefined: /run/ha
}).then(async (group) => {
  process.once('SIGTERM', () => group.stop().then(() => process.exit(0)));
  for await (const event of group) if (event.type !== 'notice') console.log(event.text);
}).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
