import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as othersFirst } from 'node:timers/promises';
import { NO_PLACE, type Place } from '@ledger/event-store';
import { type Envelope, LINES_MAX, Refusal, UseTokens, WALLET_ID_PATTERN } from '@ledger/wallet';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ArrayMaxSize, ArrayMinSize, IsArray, Matches } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import type { Principal } from '../auth/principal';
import { Settings } from '../settings';
import { usageCharged } from './answers-from-events';
import { Commands } from './commands';
import { contentHashOf, envelopeOf, KEY_MESSAGE, KEY_PATTERN } from './envelope';
import { bodyOf, type FieldError, Problem, validationFailed } from './problem';
import { problemOf } from './problem-of';
import { SCHEMAS_AT } from './validation/schemas';
import { type Validator, Validators } from './validation/validator';

/** Lines of all batches that may be under way at once: each costs about 5 KiB until it is answered. */
export const LINES_IN_FLIGHT_MAX = 4 * LINES_MAX;
/** After so many lines other requests get their turn, while the store is writing what was decided. */
const LINES_PER_TURN = 128;
/**
 * Such parts of a batch that are under way together, at most: what waits for its answer is collected at a higher price the more of it
 * there is, and a store that is a network away is idle when it is little.
 */
const PARTS_UNDER_WAY = 8;
/** Refusals of one answer may weigh so many characters; those after it say what is wrong without their facts. */
const REFUSALS_LENGTH_MAX = 16 * 1024 * 1024;
const DETAIL_LENGTH_MAX = 300;
const SHOWN_LENGTH_MAX = 200;

/** One usage of a batch: what the single POST takes, with its key and its user. */
@JSONSchema({ oneOf: [{ required: ['tokens'] }, { required: ['variableCostEuros'] }] })
export class UsageLine extends UseTokens {
  @Matches(KEY_PATTERN, { message: KEY_MESSAGE })
  @JSONSchema({ type: 'string', pattern: KEY_PATTERN.source, description: 'The Idempotency-Key that the single POST would carry' })
  key: string;

  @Matches(WALLET_ID_PATTERN, { message: 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ - and not . or ..' })
  @JSONSchema({ type: 'string', pattern: WALLET_ID_PATTERN.source })
  userId: string;
}

/** Charges many users at once, each line by itself. */
export class UsageBatch {
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LINES_MAX)
  // The document shows what a line is, and the validator lets every line pass: a bad shape refuses its line alone.
  @JSONSchema({ items: { anyOf: [{}, { $ref: `${SCHEMAS_AT}UsageLine` }] } })
  usages: unknown[];
}

export interface BatchCharged {
  /** JSON of the whole answer. Each line becomes text as soon as it is answered, and its objects are let go. */
  text: string;
  /** The furthest place of all lines; NO_PLACE when every line was refused. */
  place: Place;
}

/** The places of the lines, those of one user one after the other: then its mailbox has them together, and writes them by one append. */
function byUser(lines: readonly unknown[]): number[] {
  const places = new Map<unknown, number[]>();
  lines.forEach((line, index) => {
    const { userId } = (line ?? {}) as { userId?: unknown };
    const those = places.get(userId);
    if (those === undefined) places.set(userId, [index]);
    else those.push(index);
  });
  return [...places.values()].flat();
}

/** A batch under way. */
interface Batch {
  envelope: Envelope;
  results: string[];
  place: Place;
  refusalsLength: number;
}

/**
 * Sends every line of a batch as the command that its single POST would be: the same operation, ids and body make the same content
 * hash, so a key means the same on both ways. Part by part lines are under way together, and the mailboxes gather those of one user, in order.
 */
@Injectable()
export class UsageBatches {
  private readonly log = new Logger('UsageBatches');
  private readonly validate: Validator;
  private inFlight = 0;

  constructor(
    private readonly commands: Commands,
    validators: Validators,
    @Inject(Settings) private readonly settings: Settings,
  ) {
    this.validate = validators.of(UseTokens);
  }

  /** @throws Problem OVERLOADED, before any line was decided */
  async charge(lines: readonly unknown[], principal: Principal, headers: IncomingHttpHeaders): Promise<BatchCharged> {
    if (this.inFlight + lines.length > LINES_IN_FLIGHT_MAX)
      throw new Problem(
        'OVERLOADED',
        `${this.inFlight} lines of other batches are under way, and nothing was written: send fewer at a time.`,
      );
    this.inFlight += lines.length;
    try {
      const batch: Batch = {
        envelope: envelopeOf(principal, headers, undefined, undefined),
        results: [],
        place: NO_PLACE,
        refusalsLength: 0,
      };
      const parts: Promise<unknown>[] = [];
      const order = byUser(lines);
      for (let from = 0; from < order.length; from += LINES_PER_TURN) {
        if (from > 0) await othersFirst();
        const some = order.slice(from, from + LINES_PER_TURN);
        parts.push(Promise.all(some.map((index) => this.answer(batch, lines[index], index))));
        await parts.at(-PARTS_UNDER_WAY);
      }
      await Promise.all(parts);
      return { text: `{"results":[${batch.results.join(',')}]}`, place: batch.place };
    } finally {
      this.inFlight -= lines.length;
    }
  }

  /** Never throws: what goes wrong with a line is the answer of that line. */
  private async answer(batch: Batch, line: unknown, index: number): Promise<void> {
    try {
      const command = this.command(line, index, batch.envelope);
      const { events, replayed, position, eventId } = await this.commands.execute(command);
      if (position > batch.place.position) batch.place = { position, id: eventId };
      batch.results[index] = JSON.stringify({ key: command.envelope.key, status: 201, replayed, ...usageCharged(events) });
    } catch (error) {
      batch.results[index] = this.refused(batch, line, located(error, index));
    }
  }

  /** In the order of the single POST: the shape, then the key. @throws Problem VALIDATION_FAILED, KEY_MISSING */
  private command(line: unknown, index: number, envelope: Envelope): UseTokens {
    const at = `/usages/${index}`;
    if (typeof line !== 'object' || line === null || Array.isArray(line))
      throw validationFailed([{ in: 'body', field: at, message: 'must be a JSON object' }]);
    const { key, userId, ...body } = line as Record<string, unknown>;
    const bad = this.validate(body);
    const userKnown = typeof userId === 'string' && WALLET_ID_PATTERN.test(userId);
    const keyGood = typeof key === 'string' && KEY_PATTERN.test(key);
    if (bad !== undefined || !userKnown || (!keyGood && key !== undefined)) {
      const errors: FieldError[] = (bad ?? []).map((error) => ({ ...error, field: `${at}${error.field}` }));
      if (!userKnown) errors.push(wrong(`${at}/userId`, userId, 'must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ - and not . or ..'));
      if (!keyGood && key !== undefined) errors.push(wrong(`${at}/key`, key, KEY_MESSAGE));
      throw validationFailed(errors);
    }
    if (!keyGood) throw new Problem('KEY_MISSING', `The line ${at} needs a key, so that a repeat cannot count twice.`);
    const command = Object.assign(new UseTokens(), body);
    command.wallet = { kind: 'user', id: userId };
    command.envelope = { ...envelope, key, contentHash: contentHashOf(UseTokens.name, { userId }, body) };
    return command;
  }

  private refused(batch: Batch, line: unknown, error: unknown): string {
    const problem = problemOf(error, this.settings.bodyLimitBytes) ?? this.defect(batch, error);
    const key = (line as { key?: unknown } | null)?.key;
    const head = { key: typeof key === 'string' ? key.slice(0, SHOWN_LENGTH_MAX) : null, status: problem.status, replayed: false };
    // A refusal names up to a thousand limits, and ten thousand refusals of one user name them ten thousand times.
    const brief = batch.refusalsLength > REFUSALS_LENGTH_MAX;
    const told = brief ? new Problem(problem.code, problem.detail.slice(0, DETAIL_LENGTH_MAX)) : problem;
    const text = JSON.stringify({ ...bodyOf(told), ...head });
    batch.refusalsLength += text.length;
    return text;
  }

  private defect({ envelope: { requestId } }: Batch, error: unknown): Problem {
    this.log.error(`A line of a batch met a defect (request ${requestId}): ${error instanceof Error ? error.stack : String(error)}`);
    return new Problem('INTERNAL_ERROR', 'The ledger made a mistake; it was logged.', { requestId });
  }
}

/** A decision knows the line's body alone; in the body that was sent, its fields are those of the line. */
function located(error: unknown, index: number): unknown {
  if (!(error instanceof Refusal) || error.code !== 'VALIDATION_FAILED') return error;
  const errors = (error.facts['errors'] ?? []) as Omit<FieldError, 'in'>[];
  return new Problem(error.code, error.detail, { errors: errors.map((one) => ({ ...one, field: `/usages/${index}${one.field}` })) });
}

const wrong = (field: string, value: unknown, message: string): FieldError =>
  value === undefined
    ? { in: 'body', field, message: 'is missing' }
    : { in: 'body', field, value: typeof value === 'string' ? value.slice(0, SHOWN_LENGTH_MAX) : typeof value, message };
