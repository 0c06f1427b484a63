// SPDX-License-Identifier: ISC
import { EventEmitter } from 'node:events';

declare namespace ha {
  type State = 'STANDBY' | 'ACTIVE' | 'SHUTDOWN';
  type Level = 'error' | 'warning' | 'notice' | 'info';

  interface GroupEvent {
    /** What happened. */
    type: 'state' | 'holder' | 'peer' | 'fault' | 'notice' | 'stopped' | 'answer';
    level: Level;
    /** The group's name; '' if it is not about one. */
    group: string;
    /** The other node it is about; '' if it is about none. */
    peer: string;
    /** A sentence for a person. */
    text: string;
    /** Grows with every claim of the group by any node: a fencing token. 0: none. */
    epoch: number;
    time: Date;
  }

  interface StateEvent extends GroupEvent {
    type: 'state';
    state: State;
    previous: State;
    holder: string;
  }

  /** Asked once an interval; must answer at once, from memory. */
  type WorthPolicy = (group: Group) => number;
  type VetoPolicy = (group: Group) => boolean;
  interface Candidate { name: string; address: string; worth: number; }
  /** To whom yield() gives the group; undefined: to the worthiest. */
  type ChoosePolicy = (group: Group, candidates: Candidate[]) => Candidate | string | undefined;

  interface GroupOptions {
    /** The device of the heartbeats, 'eth0'. */
    interface?: string;
    /** Shared addresses with prefix length, '192.168.1.100/24'. */
    addresses?: string[];
    address?: string;
    /** The group's name, 'main' by default. */
    name?: string;
    /** This node's name, the host's by default. */
    node?: string;
    /** From `ha keygen`. */
    keyFile?: string;
    /** Of heartbeats, in milliseconds; 100 by default. */
    interval?: number;
    /** How long silence lasts before a node counts as gone, in milliseconds; 3.5 intervals by default. */
    tolerance?: number;
    /** 0 to 65535, 100 by default, or a function that computes it. */
    worth?: number | WorthPolicy;
    /** True: this node must not claim the group now. */
    veto?: VetoPolicy;
    choose?: ChoosePolicy;
    /** A configuration file, or its text, instead of the keys above: ha.conf(5). */
    file?: string;
    text?: string;
    /** Join the daemon of this machine, without privileges; of the keys above only name counts. */
    attached?: boolean;
    runtimeDir?: string;
    /** The program ha-keeper, the installed one by default. */
    keeper?: string;
    /** More lines for [node] and [group]. */
    extraNode?: string;
    extraGroup?: string;
  }

  class Group extends EventEmitter implements AsyncIterable<GroupEvent | StateEvent> {
    readonly state: State;
    /** Of this node's last claim. */
    readonly epoch: number;
    /** The name of the node that holds the group, '' if it is not known. */
    readonly holder: string;
    isActive(): boolean;
    isStandby(): boolean;
    isShutdown(): boolean;
    setWorth(worth: number): void;
    setHealthy(healthy: boolean, reason?: string): void;
    /** Hands the group over, to a node by name if it is given, and ranks last until resume(). */
    yield(to?: string): Promise<string>;
    /** Hands everything over and takes nothing, until resume(). */
    drain(options?: { force?: boolean }): Promise<string>;
    resume(): Promise<string>;
    /** What `ha status --json` shows. */
    snapshot(): any;
    /** Hands the addresses over and leaves. */
    stop(): Promise<void>;
    /** Leaves at once. */
    close(): void;
    ref(): this;
    unref(): this;
    [Symbol.asyncIterator](): AsyncIterableIterator<GroupEvent | StateEvent>;
    on(event: 'active' | 'standby' | 'shutdown' | 'state', listener: (event: StateEvent) => void): this;
    on(event: 'event' | 'holder' | 'peer' | 'fault' | 'notice' | 'stopped' | 'answer', listener: (event: GroupEvent) => void): this;
    on(event: 'policyError', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
  }

  /** Rejects with an Error whose `code` is the errno's name and whose message tells every mistake. */
  function createGroup(options: GroupOptions): Promise<Group>;
  const version: string;

  // --- as the first ha had them

  /** Reads /etc/ha.json (ethernetDevice, sharedEthernetDevice) and begins. */
  function main(file?: string): void;
  function isActive(): boolean;
  function isStandby(): boolean;
  function isShutdown(): boolean;
  /** Hands over and ends the process. */
  function shutdown(): void;
  function findAddress(device: string, family: 'IPv4' | 'IPv6'): string | undefined;
  function on(event: 'active' | 'standby' | 'shutdown', listener: () => void): EventEmitter;
  function once(event: 'active' | 'standby' | 'shutdown', listener: () => void): EventEmitter;
}

export = ha;
