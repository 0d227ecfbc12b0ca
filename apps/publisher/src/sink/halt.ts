/** Why a publisher stops for good; docs/operations/kafka.md says for each what an operator does. */
export type HaltCode =
  | 'TOPIC_UNFIT'
  | 'PARTITIONS_CHANGED'
  | 'CHECKPOINT_MISSING'
  | 'CHECKPOINT_UNREADABLE'
  | 'START_FROM_MISSING'
  | 'STORE_BEHIND'
  | 'STORE_OTHER'
  | 'STORE_GAP'
  | 'POISON_EVENT';

/** Going on could lose, double or disorder events, and waiting does not help: a person must decide. The message says what to do. */
export class Halt extends Error {
  constructor(
    readonly code: HaltCode,
    sentence: string,
    options?: { cause?: unknown },
  ) {
    super(sentence, options);
    this.name = 'Halt';
  }
}
