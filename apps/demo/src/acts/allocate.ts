import { adminOf, type Act, type Day } from '../day';
import { bodyOf, positionOf, Unexpected, type AllocationAnswer, type OrganisationAnswer } from '../ledger-api';
import type { Organisation } from '../school';

interface Line {
  userId: string;
  tokens: number;
}

/** Tokens for everybody in one command: first as a dry run, once refused for its failing lines, then for good. */
export const allocateInBulk: Act = async (day) => {
  for (const organisation of day.school.organisations) {
    const lines = linesOf(day, organisation);
    const tried = await tryDry(day, organisation.id, lines);
    await refuseBadLines(day, organisation, lines);
    const done = await allocate(day, organisation.id, lines, 'bulk-1');
    if (done.available !== tried.available)
      throw new Unexpected(`The dry run left ${tried.available} tokens, the allocation ${done.available}.`);
    day.tell(
      `${organisation.id} allocates ${done.tokens.toLocaleString('en')} tokens to ${done.lineCount} members in one command, ` +
        `as its dry run had said; ${done.available.toLocaleString('en')} are left.`,
    );
  }
};

/** The one without limits gets more on top. */
export const allocateExtra: Act = async (day) => {
  const { organisations, cast, demand } = day.school;
  const organisation = organisations.find(({ members }) => members.includes(cast.unlimited))!;
  await allocate(day, organisation.id, [{ userId: cast.unlimited, tokens: Math.max(1, demand.get(cast.unlimited)!) }], 'extra-1');
};

const linesOf = ({ school }: Day, { members }: Organisation): Line[] =>
  members.filter((userId) => !school.cast.newcomers.includes(userId)).map((userId) => ({ userId, tokens: school.tokensPerMember }));

async function tryDry(day: Day, organisationId: string, lines: Line[]): Promise<AllocationAnswer> {
  const path = `/organisations/${organisationId}/allocations?dryRun=true`;
  return bodyOf<AllocationAnswer>(await adminOf(day, organisationId).expect([200], 'POST', path, { body: { lines } }));
}

/** Three lines are wrong, each in its own way: nobody gets anything, and the refusal names the three. */
async function refuseBadLines(day: Day, { id }: Organisation, lines: Line[]): Promise<void> {
  const { allocationDailyLimit } = day.school;
  const [twice, tooMuch, ...rest] = lines;
  const bad = [
    { userId: 'nobody.we.know', tokens: 1 },
    { userId: tooMuch!.userId, tokens: allocationDailyLimit + 1 },
    ...rest,
    twice!,
    twice!,
  ];
  const api = adminOf(day, id);
  const before = bodyOf<OrganisationAnswer>(await api.expect([200], 'GET', `/organisations/${id}`));
  const problem = await api.refused('ALLOCATION_REFUSED', 'POST', `/organisations/${id}/allocations`, {
    body: { lines: bad },
    key: 'bulk-1',
  });
  const after = bodyOf<OrganisationAnswer>(await api.expect([200], 'GET', `/organisations/${id}`));
  const failing = problem.lines as { index: number; userId: string; code: string }[];
  if (problem.failedLines !== 3 || failing.length !== 3)
    throw new Unexpected(`Three lines were wrong and the refusal names ${String(problem.failedLines)}.`);
  if (before.available !== after.available)
    throw new Unexpected(`A refused allocation moved ${before.available - after.available} tokens of ${id}.`);
  day.tell(
    `An allocation of ${id} with three wrong lines is refused whole: ${failing.map((line) => `${line.userId} ${line.code}`).join(', ')}.`,
  );
}

/** Resolves once every member has been credited. */
async function allocate(day: Day, organisationId: string, lines: Line[], key: string): Promise<AllocationAnswer> {
  const api = adminOf(day, organisationId);
  const path = `/organisations/${organisationId}/allocations`;
  const answer = await api.expect([201], 'POST', path, { body: { lines, memo: 'demo day' }, key });
  const began = performance.now();
  const allocated = bodyOf<AllocationAnswer>(answer);
  const position = positionOf(answer);
  const settled = bodyOf<{ settled: boolean; settledLines: number }>(
    await api.expect([200], 'GET', `${path}/${allocated.allocationId}?limit=1`, position === undefined ? {} : { position }),
  );
  if (!settled.settled || settled.settledLines !== lines.length)
    throw new Unexpected(
      `Allocation ${allocated.allocationId} is settled for ${settled.settledLines} of ${lines.length} members after waiting for it.`,
    );
  day.tally.allocated(organisationId, lines);
  if (lines.length > 1)
    day.rates.allocation = { lines: lines.length, decided: answer.milliseconds, settled: performance.now() - began + answer.milliseconds };
  return allocated;
}
