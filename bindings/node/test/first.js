// SPDX-License-Identifier: ISC
'use strict';
// A service as it was written for the first ha: nothing but that module's own interface. The file's path
// stands for /etc/ha.json.

const http = require('node:http');
const ha = require('..');

ha.on('active', () => console.log('active', ha.isActive(), ha.findAddress('eth0:1', 'IPv4')));
ha.on('standby', () => console.log('standby', ha.isStandby(), ha.findAddress('eth0', 'IPv4')));
ha.on('shutdown', () => console.log('shutdown', ha.isShutdown()));
http.createServer((_, response) => response.end(`${process.env.HA_NAME}\n`)).listen(8080);
ha.main(process.argv[2]);
process.stdin.on('data', () => ha.shutdown());
