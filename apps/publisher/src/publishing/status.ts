import { Injectable } from '@nestjs/common';
import type { Checkpoint } from '../sink/checkpoint';
import type { Halt } from '../sink/halt';

export const STATES = ['starting', 'taking over', 'publishing', 'standing by', 'waiting', 'halted', 'stopped'] as const;
export type State = (typeof STATES)[number];

/** What the publisher does right now, for those who ask from outside. */
@Injectable()
export class Status {
  state: State = 'starting';
  /** Why it does not publish, as a sentence; undefined while it does. */
  reason: string | undefined;
  halt: Halt | undefined;
  /** The last one that is known to be committed; undefined before the first take-over. */
  checkpoint: Checkpoint | undefined;

  is(state: State, reason?: string): void {
    this.state = state;
    this.reason = reason;
  }
}
